"""Trees as masks of leaves: see `tables` for what they are.

A tree that shares children is first grown out, so that every leaf has one path. One with more
than LEAVES leaves is cut: a subtree becomes a tree of its own, below the path to it, with
a leaf of 0 wherever a row leaves the path, and leaves a 0 behind. Sums of integers are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from veridict.models.layout import Tree
from veridict.models.tables import LEAVES, MAX_RANK, TALL, U64, Numbering


class Branch(NamedTuple):
    slot: int
    rank: int
    left: Grown
    right: Grown
    size: int  # leaves below


Grown = Branch | int  # an int is a leaf's value


def masked(tree: Tree, numbering: Numbering) -> list[Grown] | None:
    """`tree` as trees of at most LEAVES leaves whose sum it is; None where it is better walked."""
    if numbering.highest > MAX_RANK or _paths(tree) > TALL:
        return None
    return _cut(_grown(tree, numbering))


def masks(trees: Sequence[tuple[Grown, int]]) -> U64:
    """Trees of at most LEAVES leaves, each with the number of the output to which it adds.

    0  trees, P                                             nodes, one word each:
    1  where: beginning of the nodes of each, [P + 1]       slot << 48 | rank << 32 | mask
    2         output of each
    3         value of each leaf, [P, LEAVES]
    """
    nodes: list[int] = []
    starts = [0]
    values = np.zeros((len(trees), LEAVES), dtype=np.int64)
    for number, (tree, _) in enumerate(trees):
        leaves: list[int] = []
        nodes += sorted(_masks(tree, leaves))
        starts.append(len(nodes))
        values[number, : len(leaves)] = leaves
    at = np.cumsum([4, len(starts), len(trees), values.size])
    parts = (
        np.array([len(trees), *at[:3]]),
        np.array(starts) + at[3],
        np.array([output for _, output in trees], dtype=np.int64),
        values.reshape(-1),
        np.array(nodes, dtype=np.uint64),
    )
    return np.concatenate([part.view(np.uint64) for part in parts])


def _masks(tree: Grown, leaves: list[int]) -> Iterator[int]:
    """The word of each branch; fills `leaves`. A mask is what stays where a row goes right."""
    if isinstance(tree, int):
        leaves.append(tree)
        return
    first = len(leaves)
    yield from _masks(tree.left, leaves)
    stay = (1 << LEAVES) - (1 << len(leaves)) | (1 << first) - 1
    yield from _masks(tree.right, leaves)
    yield tree.slot << 48 | tree.rank << 32 | stay


def _paths(tree: Tree) -> int:
    """How many leaves `tree` has once it is grown out."""
    counts = [0] * len(tree.nodes)
    for number in reversed(range(len(tree.nodes))):
        node = tree.nodes[number]
        counts[number] = sum(1 if c < 0 else counts[c] for c in (node.left, node.right))
    return counts[0]


def _grown(tree: Tree, numbering: Numbering) -> Grown:
    asked = numbering.asked(tree)
    grown: list[Grown] = [0] * len(tree.nodes)
    for number in reversed(range(len(tree.nodes))):
        left, right = (
            tree.leaves[~c] if c < 0 else grown[c]
            for c in (tree.nodes[number].left, tree.nodes[number].right)
        )
        grown[number] = _branch(*asked[number], left, right)
    return grown[0]


def _branch(slot: int, rank: int, left: Grown, right: Grown) -> Branch:
    return Branch(slot, rank, left, right, _size(left) + _size(right))


def _size(tree: Grown) -> int:
    return 1 if isinstance(tree, int) else tree.size


def _cut(tree: Grown) -> list[Grown] | None:
    most = 2 + _size(tree) // 8  # a tree like a chain would fall into too many
    pieces: list[Grown] = []
    while _size(tree) > LEAVES:
        path = _largest(tree, 0)[1]
        if not path or len(pieces) == most:
            return None
        piece, tree = _cut_at(tree, path)
        pieces.append(piece)
    return [*pieces, tree]


def _largest(tree: Grown, depth: int) -> tuple[int, list[int]]:
    """(leaves, way: 0 left, 1 right) of the largest subtree that fits a mask with its path."""
    if isinstance(tree, int):
        return 0, []
    if depth and tree.size + depth <= LEAVES:
        return tree.size, []
    ways = [_largest(tree.left, depth + 1), _largest(tree.right, depth + 1)]
    side = int(ways[1][0] > ways[0][0])
    size, way = ways[side]
    return size, [side, *way] if size else []


def _cut_at(tree: Grown, way: list[int]) -> tuple[Grown, Grown]:
    """The subtree at the end of `way` with the path to it, and what is left behind."""
    if not way:
        return tree, 0
    assert isinstance(tree, Branch)
    if way[0]:
        piece, rest = _cut_at(tree.right, way[1:])
        return _asking(tree, 0, piece), _asking(tree, tree.left, rest)
    piece, rest = _cut_at(tree.left, way[1:])
    return _asking(tree, piece, 0), _asking(tree, rest, tree.right)


def _asking(asked: Branch, left: Grown, right: Grown) -> Branch:
    return _branch(asked.slot, asked.rank, left, right)
