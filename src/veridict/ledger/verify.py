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
from itertools import islice, pairwise

from veridict.core.errors import EvidenceError
from veridict.core.nouns import Finding
from veridict.ledger.tiles import TILE_WIDTH, Tile, TreeEdge
from veridict.ledger.view import LogView
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import HASH_BYTES, leaf_hash, leaf_hashes

_NO_LEAF = bytes(HASH_BYTES)
_BLOCK = 4 * TILE_WIDTH  # records at once: bounds memory, whatever the size of the log


def check_log(log: LogView) -> list[Finding]:
    """Every finding, in the order of the log; none where it is sound. Works on an open log."""
    size = log.size
    heads, findings = _parse_heads(log)
    tree = TreeEdge()
    roots = {0: tree.root()}  # by size, from the leaves alone
    bodies = _with_gaps(log, size)
    signed = {head.size for head in heads if head.size < size}
    for start, stop in pairwise(sorted({0, *range(0, size, _BLOCK), *signed, size})):
        tree, found = _replayed(log, tree, list(islice(bodies, stop - start)))
        findings += found
        if stop in signed or stop == size:
            roots[stop] = tree.root()
    findings += _differing(log, tree.tiles())  # the last block need not have touched them all
    for index in log.surplus():
        findings.append(Finding("record.surplus", f"record {index}", "none", "a body"))
    return findings + _check_heads(log, heads, roots)


def _with_gaps(log: LogView, size: int) -> Iterator[bytes | None]:
    expected = 0
    for index, body in log.records(0, size):
        for _ in range(expected, index):
            yield None
        expected = index + 1
        yield body
    for _ in range(expected, size):
        yield None


def _replayed(
    log: LogView, tree: TreeEdge, bodies: list[bytes | None]
) -> tuple[TreeEdge, list[Finding]]:
    """`tree` with the next `bodies`, compared with the tiles that they fill or begin."""
    whole = [body for body in bodies if body is not None]
    if len(whole) == len(bodies):
        after, made = tree.extended(leaf_hashes(whole))
        if all(_begins(log.tile(0, tile.n), tile) for tile in made if tile.level == 0):
            return after, _differing(log, [tile for tile in made if tile.middle])
    leaves, findings = _named(log, tree.size, bodies)
    after, made = tree.extended(leaves)
    return after, findings + _differing(log, [tile for tile in made if tile.middle])


def _named(
    log: LogView, start: int, bodies: list[bytes | None]
) -> tuple[list[bytes], list[Finding]]:
    """The leaves as the tree has them, so that a finding is named once and the replay goes on."""
    leaves: list[bytes] = []
    findings: list[Finding] = []
    row, tile_number = b"", -1
    for index, body in enumerate(bodies, start):
        number, at = divmod(index, TILE_WIDTH)
        if number != tile_number:
            tile = log.tile(0, number)
            row, tile_number = tile.hashes if tile else b"", number
        found = _NO_LEAF if body is None else leaf_hash(body)
        # a tile that is gone is named with the tiles
        leaf = row[at * HASH_BYTES : (at + 1) * HASH_BYTES] or found
        if body is None:
            findings.append(Finding("record.missing", f"record {index}", "a body", "none"))
        elif found != leaf:
            findings.append(Finding("record.altered", f"record {index}", leaf.hex(), found.hex()))
        leaves.append(leaf)
    return leaves, findings


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


def _begins(stored: Tile | None, made: Tile) -> bool:
    return stored is not None and stored.hashes.startswith(made.hashes)


def _differing(log: LogView, made: list[Tile]) -> list[Finding]:
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
