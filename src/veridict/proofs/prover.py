"""Builds the proofs that `merkle` verifies, from the hashes of full subtrees alone.

`Nodes(level, index)` returns the root of leaves [index·2^level, (index+1)·2^level),
which all exist. A proof is first a list of leaf ranges, then their roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from veridict.core.errors import BadInput
from veridict.proofs.merkle import EMPTY_ROOT, is_subtree, node_hash

Nodes = Callable[[int, int], bytes]
Siblings = Callable[[int, int], list[bytes]]
Range = tuple[int, int]


def inclusion_proof(
    index: int, size: int, nodes: Nodes, siblings: Siblings | None = None
) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 §2.1.3.1. Raises BadInput unless 0 <= index < size.

    `siblings(index, levels)` gives `nodes(level, index >> level ^ 1)` of levels 0 .. levels - 1,
    where that is cheaper at once.
    """
    if not 0 <= index < size:
        raise BadInput(
            f"there is no leaf {index} in a tree of {size}",
            remedy="ask for an index below the size",
        )
    # below level `parts` the leaf and the last one hang on two nodes, of which the left is full
    parts = (index ^ (size - 1)).bit_length()
    proof: list[bytes] = []
    if parts:
        proof += (siblings or _one_by_one(nodes))(index, parts - 1)
        proof.append(range_root((index >> parts - 1) + 1 << parts - 1, size, nodes))
    return proof + [
        nodes(level, (index >> level) - 1)
        for level in range(parts, index.bit_length())
        if index >> level & 1
    ]


def _one_by_one(nodes: Nodes) -> Siblings:
    return lambda index, levels: [nodes(level, index >> level ^ 1) for level in range(levels)]


def consistency_proof(size1: int, size2: int, nodes: Nodes) -> list[bytes]:
    """PROOF(size1, D[size2]) of RFC 9162 §2.1.4.1. Raises BadInput unless 0 < size1 <= size2."""
    return subtree_consistency_proof(0, size1, size2, nodes)


def subtree_consistency_proof(start: int, end: int, size: int, nodes: Nodes) -> list[bytes]:
    """Shows that leaves [start, end) are a subtree of the tree of `size` leaves."""
    if not (is_subtree(start, end) and end <= size):
        raise BadInput(
            f"[{start}, {end}) is not a subtree of a tree of {size}",
            remedy="ask for sizes with 0 < size1 <= size2, or an aligned range",
        )
    return [range_root(low, high, nodes) for low, high in _consistency_ranges(start, end, size)]


def range_root(start: int, end: int, nodes: Nodes) -> bytes:
    """Root of the subtree [start, end), which `nodes` may hold only in full pieces."""
    if start == end:
        return EMPTY_ROOT
    count = end - start
    if count & (count - 1) == 0:  # one full subtree, as nearly all ranges of a proof are
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    pieces = [nodes(level, index) for level, index in _full_subtrees(start, end)]
    root = pieces.pop()
    while pieces:
        root = node_hash(pieces.pop(), root)
    return root


def _full_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """(level, index) of the full subtrees that make up [start, end), left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _consistency_ranges(start: int, end: int, size: int) -> list[Range]:
    low, high = 0, size
    known = True  # whether the verifier already has the root of the part looked for
    ranges: list[Range] = []
    while (low, high) != (start, end):
        middle = low + _split(high - low)
        if end <= middle:
            ranges.append((middle, high))
            high = middle
            continue
        ranges.append((low, middle))
        if start < middle:  # the subtree straddles the split: go on with its right part
            start, known = middle, False
        low = middle
    if not known:
        ranges.append((low, high))
    return ranges[::-1]


def _split(size: int) -> int:
    """The largest power of two below `size` (>= 2)."""
    return 1 << ((size - 1).bit_length() - 1)
