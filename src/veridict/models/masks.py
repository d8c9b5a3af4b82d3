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
    pieces: list[Grown] = []
    rest = _shrunk(tree, [], pieces)
    most = 2 + _size(tree) // 8  # a tree much like a chain falls into too many
    return None if rest is None or len(pieces) > most else [*pieces, rest]


def _shrunk(tree: Grown, path: list[tuple[Branch, int]], pieces: list[Grown]) -> Grown | None:
    """What is left at the end of `path` once it fits a mask together with the path.

    What is cut off goes to `pieces`. None where the path alone is too long.
    """
    if isinstance(tree, int) or tree.size + len(path) <= LEAVES:
        return tree
    ways = [[*path, (tree, side)] for side in (0, 1)]
    left, right = _shrunk(tree.left, ways[0], pieces), _shrunk(tree.right, ways[1], pieces)
    if left is None or right is None:
        return None
    while _size(left) + _size(right) + len(path) > LEAVES:
        side = int(_size(right) > _size(left))
        larger = right if side else left
        if isinstance(larger, int):
            return None
        pieces.append(_below(ways[side], larger))
        left, right = (left, 0) if side else (0, right)
    return _branch(tree.slot, tree.rank, left, right)


def _below(path: list[tuple[Branch, int]], piece: Grown) -> Grown:
    for asked, side in reversed(path):
        piece = _branch(asked.slot, asked.rank, *((0, piece) if side else (piece, 0)))
    return piece
