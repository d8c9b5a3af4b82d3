"""Does the log hold what it signed? Replays every body; hashes alone would miss edited data.

1. every record from 0 to size - 1 is there, and nothing beyond;
2. every body hashes to its leaf in the tree;
3. the tree that the bodies make is the tree that the tiles tell;
4. every checkpoint is signed by the log's key, and its root is the tree's at its size;
5. no checkpoint is smaller than the one before.
"""

from __future__ import annotations

from collections.abc import Iterator

from veridict.core.errors import EvidenceError, StorageFailed
from veridict.core.nouns import Finding
from veridict.ledger.log import Log
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import CompactRange, leaf_hash


def check_log(log: Log) -> list[Finding]:
    """Every finding, in the order of the log; none where it is sound. Works on an open log."""
    size = log.size
    replayed: dict[int, bytes] = {}  # size → root, from bodies alone
    heads, findings = _parse_heads(log)
    wanted = {head.size for head in heads}
    edge = CompactRange()
    for index, body in _with_gaps(log, size):
        if body is None:
            findings.append(Finding("record.missing", f"record {index}", "a body", "none"))
        elif (found := leaf_hash(body)) != (leaf := log.leaf(index)):
            findings.append(Finding("record.altered", f"record {index}", leaf.hex(), found.hex()))
        # a finding is named once: the replay goes on with the leaf as it was
        edge.append(log.leaf(index))
        if edge.size in wanted:
            replayed[edge.size] = edge.root()
    replayed[0], replayed[size] = CompactRange().root(), edge.root()
    findings += _check_tree(log, size, edge.root())
    return findings + _check_heads(log, heads, replayed)


def _with_gaps(log: Log, size: int) -> Iterator[tuple[int, bytes | None]]:
    expected = 0
    for index, body in log.records(0, size):
        for gap in range(expected, index):
            yield gap, None
        expected = index + 1
        yield index, body
    for gap in range(expected, size):
        yield gap, None


def _parse_heads(log: Log) -> tuple[list[SignedCheckpoint], list[Finding]]:
    heads: list[SignedCheckpoint] = []
    findings: list[Finding] = []
    for number, text in enumerate(log.checkpoint_texts()):
        try:
            heads.append(SignedCheckpoint(text))
            heads[-1].verify(log.verifier, log.origin)
        except EvidenceError as error:
            code = str(error.facts["finding"])
            where = f"checkpoint {number}"
            findings.append(Finding(code, where, f"signed by {log.verifier.vkey}", error.message))
    return heads, findings


def _check_tree(log: Log, size: int, replayed: bytes) -> list[Finding]:
    try:
        root = log.root(size)
    except StorageFailed as error:
        return [Finding("tree.damaged", f"tree of {size}", "all its tiles", error.message)]
    if root != replayed:
        return [Finding("tree.altered", f"tree of {size}", replayed.hex(), root.hex())]
    return []


def _check_heads(
    log: Log, heads: list[SignedCheckpoint], replayed: dict[int, bytes]
) -> list[Finding]:
    findings: list[Finding] = []
    previous = 0
    for number, head in enumerate(heads):
        where = f"checkpoint {number}"
        if head.size < previous:
            least = f"at least {previous} records"
            findings.append(Finding("checkpoint.rolled-back", where, least, str(head.size)))
        previous = head.size
        root = replayed.get(head.size)
        if root is None:
            found = f"the log has {log.size} records"
            findings.append(Finding("log.rolled-back", where, f"{head.size} records", found))
        elif root != head.root:
            findings.append(Finding("log.forked", where, head.root.hex(), root.hex()))
    return findings
