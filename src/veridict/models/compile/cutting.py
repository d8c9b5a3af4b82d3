"""Trees too large for a page, cut into several whose sum is the same tree.

A subtree S that is cut off leaves a leaf of 0 behind, and becomes a tree of its own: the path
from the root to S, with a leaf of 0 wherever a row leaves the path. Every row reaches its value
in exactly one of the pieces and 0 in the others, so the sum is exact, and no source tree is too
large for what the judge copies into memory at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.splits import Branch
from veridict.models.layout import COUNTS, HEADER, LEAF, NODE, PAGE_SIZES, TAIL_BYTES

LARGEST_TREE = PAGE_SIZES[-1] - HEADER.size - COUNTS.size - TAIL_BYTES  # bytes


@dataclass(frozen=True, slots=True)
class Grown:
    """Branches with children after their parents, breadth first, and the leaves.

    `weights`: one a leaf; `covers`: the weight of the rows that reach each branch.
    """

    branches: Sequence[Branch]
    leaves: Sequence[int]
    weights: Sequence[int]
    covers: Sequence[int]

    @property
    def size(self) -> int:
        """Bytes of the canonical tree."""
        steps = sum(len(branch.steps) for branch in self.branches)
        return NODE.size * steps + LEAF.size * len(self.leaves)

    @property
    def means(self) -> list[int]:
        """The mean leaf below each branch, rounded down."""
        sums = [0] * len(self.branches)
        for number in reversed(range(len(self.branches))):
            for child in (self.branches[number].left, self.branches[number].right):
                own = self.weights[~child] * self.leaves[~child] if child < 0 else sums[child]
                sums[number] += own
        return [total // cover for total, cover in zip(sums, self.covers, strict=True)]


def grown(branches: Sequence[Branch], leaves: Sequence[int], weights: Sequence[int]) -> Grown:
    """The tree whose root is branches[0]. Raises ValueError where that is no tree."""
    order = [0]
    ends: list[int] = []
    for at in order:
        for child in (branches[at].left, branches[at].right):
            (order if child >= 0 else ends).append(child)
        if len(order) > len(branches):
            raise ValueError("nodes are no tree: one has two parents")
    if len(set(order)) != len(branches) or sorted(ends) != list(range(-len(leaves), 0)):
        raise ValueError("nodes are no tree: a node or leaf has no parent, or two")
    place = {at: number for number, at in enumerate(order)}
    own = [
        replace(
            branches[at],
            left=place.get(branches[at].left, branches[at].left),
            right=place.get(branches[at].right, branches[at].right),
        )
        for at in order
    ]
    covers = [0] * len(own)
    for number in reversed(range(len(own))):
        for child in (own[number].left, own[number].right):
            covers[number] += weights[~child] if child < 0 else covers[child]
    return Grown(own, leaves, weights, covers)


def pieces(tree: Grown, number: int) -> list[Grown]:
    """Trees that fit a page and sum to `tree`; itself where it fits.

    Raises UnsupportedModel, naming source tree `number`, where one path alone does not fit.
    """
    if tree.size <= LARGEST_TREE:
        return [tree]
    cutter = _Cutter(tree)
    found = cutter.cut()
    if any(piece.size > LARGEST_TREE for piece in found):
        raise UnsupportedModel(
            f"a single path of tree {number} does not fit a page of {PAGE_SIZES[-1]} bytes",
            remedy="limit depth and categories in training",
        )
    return found


class _Cutter:
    """Cuts from the leaves up, whatever no longer fits together with the path to it."""

    def __init__(self, tree: Grown) -> None:
        self.tree = tree
        self.parents = [-1] * len(tree.branches)
        self.paths = [LEAF.size] * len(tree.branches)  # bytes of the path to a branch
        for number, branch in enumerate(tree.branches):
            for child in (branch.left, branch.right):
                if child >= 0:
                    self.parents[child] = number
                    self.paths[child] = self.paths[number] + NODE.size * len(branch.steps)
        self.sizes = [0] * len(tree.branches)
        self.is_cut = [False] * len(tree.branches)

    def cut(self) -> list[Grown]:
        roots = []
        for number in reversed(range(len(self.tree.branches))):
            self._measure(number)
            for child in sorted(self._children(number), key=self._size, reverse=True):
                if self.sizes[number] + self.paths[number] <= LARGEST_TREE:
                    break
                self.is_cut[child] = True
                roots.append(child)
                self._measure(number)
        return [self._piece(root) for root in (0, *reversed(roots))]

    def _children(self, number: int) -> list[int]:
        branch = self.tree.branches[number]
        return [child for child in (branch.left, branch.right) if child >= 0]

    def _size(self, child: int) -> int:
        return LEAF.size if child < 0 or self.is_cut[child] else self.sizes[child]

    def _measure(self, number: int) -> None:
        branch = self.tree.branches[number]
        own = NODE.size * len(branch.steps)
        self.sizes[number] = own + self._size(branch.left) + self._size(branch.right)

    def _piece(self, root: int) -> Grown:
        """The tree of what hangs at `root`, and of the path to it."""
        branches: list[Branch] = []
        leaves: list[int] = []
        weights: list[int] = []
        covers: list[int] = []

        def leaf(value: int, weight: int) -> int:
            leaves.append(value)
            weights.append(weight)
            return ~(len(leaves) - 1)

        path = [root]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        path.reverse()
        elsewhere = leaf(0, 0) if len(path) > 1 else 0
        for at, then in pairwise(path):
            branch, following = self.tree.branches[at], len(branches) + 1
            ways = (following if c == then else elsewhere for c in (branch.left, branch.right))
            left, right = ways
            branches.append(replace(branch, left=left, right=right))
            covers.append(self.tree.covers[at])
        order = [root]
        first = len(branches)
        for at in order:
            ends = []
            for child in (self.tree.branches[at].left, self.tree.branches[at].right):
                if child < 0:
                    ends.append(leaf(self.tree.leaves[~child], self.tree.weights[~child]))
                elif self.is_cut[child]:
                    ends.append(leaf(0, 0))
                else:
                    order.append(child)
                    ends.append(first + len(order) - 1)
            branches.append(replace(self.tree.branches[at], left=ends[0], right=ends[1]))
            covers.append(self.tree.covers[at])
        return Grown(branches, leaves, weights, covers)
