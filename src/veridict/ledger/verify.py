"""Does the log hold what it signed? Replays every body; hashes alone would miss edited data.

1. every record from 0 to size - 1 is there, and nothing beyond;
2. every body hashes to its leaf in the tree;
3. every tile is what its leaves make, so that every proof is the tree's;
4. every checkpoint is signed by the log's key, and its root is the tree's at its size;
5. no checkpoint is smaller than the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from veridict.core.errors import EvidenceError
from veridict.core.nouns import Finding
from veridict.ledger.tiles import TILE_WIDTH, Tile, TreeEdge
from veridict.ledger.view import LogView
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT, HASH_BYTES, CompactRange, leaf_hash

_NO_LEAF = bytes(HASH_BYTES)
_TILES_AT_ONCE = 16  # bounds memory, whatever the size of the log


def check_log(log: LogView) -> list[Finding]:
    """Every finding, in the order of the log; none where it is sound. Works on an open log."""
    size = log.size
    heads, findings = _parse_heads(log)
    wanted = {0, size, *(head.size for head in heads)}
    roots = {0: EMPTY_ROOT}  # by size, from the leaves alone
    edge, tree = CompactRange(), TreeEdge()
    leaves: list[bytes] = []
    row = b""
    for index, body in _with_gaps(log, size):
        at = index % TILE_WIDTH * HASH_BYTES
        if at == 0:
            tile = log.tile(0, index // TILE_WIDTH)
            row = tile.hashes if tile else b""
        found = _NO_LEAF if body is None else leaf_hash(body)
        leaf = row[at : at + HASH_BYTES] or found  # a tile that is gone is named below
        if body is None:
            findings.append(Finding("record.missing", f"record {index}", "a body", "none"))
        elif found != leaf:
            findings.append(Finding("record.altered", f"record {index}", leaf.hex(), found.hex()))
        # a finding is named once: the replay goes on with the leaf as the tree has it
        edge.append(leaf)
        leaves.append(leaf)
        if edge.size in wanted:
            roots[edge.size] = edge.root()
        if len(leaves) == _TILES_AT_ONCE * TILE_WIDTH or edge.size == size:
            tree, made = tree.extended(leaves)
            findings += _check_tiles(log, [tile for tile in made if tile.middle])
            leaves.clear()
    findings += _check_tiles(log, tree.tiles())  # the last batch need not have touched them all
    for index in log.surplus():
        findings.append(Finding("record.surplus", f"record {index}", "none", "a body"))
    return findings + _check_heads(log, heads, roots)


def _with_gaps(log: LogView, size: int) -> Iterator[tuple[int, bytes | None]]:
    expected = 0
    for index, body in log.records(0, size):
        for gap in range(expected, index):
            yield gap, None
        expected = index + 1
        yield index, body
    for gap in range(expected, size):
        yield gap, None


def _parse_heads(log: LogView) -> tuple[list[SignedCheckpoint], list[Finding]]:
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


def _check_tiles(log: LogView, made: list[Tile]) -> list[Finding]:
    """Compares what the leaves make with what is stored."""
    findings: list[Finding] = []
    for tile in made:
        stored = log.tile(tile.level, tile.n)
        if stored != tile:
            where = f"tile {tile.n} of level {tile.level}"
            found = _digest(stored) if stored else "none"
            findings.append(Finding("tile.altered", where, _digest(tile), found))
    return findings


def _digest(tile: Tile) -> str:
    return sha256(tile.hashes + (tile.middle or b"")).hexdigest()


def _check_heads(
    log: LogView, heads: list[SignedCheckpoint], roots: dict[int, bytes]
) -> list[Finding]:
    findings: list[Finding] = []
    previous = 0
    for number, head in enumerate(heads):
        where = f"checkpoint {number}"
        if head.size < previous:
            least = f"at least {previous} records"
            findings.append(Finding("checkpoint.rolled-back", where, least, str(head.size)))
        previous = head.size
        root = roots.get(head.size)
        if root is None:
            found = f"the log has {log.size} records"
            findings.append(Finding("log.rolled-back", where, f"{head.size} records", found))
        elif root != head.root:
            findings.append(Finding("log.forked", where, head.root.hex(), root.hex()))
    return findings
