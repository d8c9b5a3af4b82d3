"""The state of federated trees: those grown, and the one that grows, as canonical bytes.

    level u8 │ grown u32 │ per tree, and then of the growing one:
        splits u16 │ leaves u16 │ per split: feature u16, cut u16, left i32, right i32
        │ leaves i64
    Of the growing tree the leaves from `open` u16 on are its open nodes.

A split sends bins up to `cut` left. Children are numbers of splits, or ~i for leaf i.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.federated.fixed import F64

_HEAD = struct.Struct(">BI")
_COUNTS = struct.Struct(">HHH")
_SPLIT = struct.Struct(">HHii")
_LEAF = struct.Struct(">q")

Split = tuple[int, int, int, int]  # feature, cut, left, right


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree; a split's children come after it."""

    splits: tuple[Split, ...]
    leaves: tuple[int, ...]

    def reach(self, bins: NDArray[np.intp]) -> NDArray[np.intp]:
        """The leaf of each row of bins."""
        at = np.full(len(bins), 0 if self.splits else ~0, np.intp)
        rows = np.arange(len(bins))
        splits = np.array(self.splits, np.intp).reshape(-1, 4)
        while (inside := at >= 0).any():
            here = splits[at[inside]]
            left = bins[rows[inside], here[:, 0]] <= here[:, 1]
            at[inside] = np.where(left, here[:, 2], here[:, 3])
        return ~at


@dataclass(frozen=True, slots=True)
class Forest:
    """`growing`'s leaves from number `closed` on are the nodes that the next round splits."""

    grown: tuple[Grown, ...]
    growing: Grown
    closed: int
    level: int

    @classmethod
    def empty(cls) -> Forest:
        return cls((), Grown((), (0,)), 0, 0)

    @property
    def open_nodes(self) -> int:
        return len(self.growing.leaves) - self.closed

    def sums(self, bins: NDArray[np.intp]) -> F64:
        """Each row's score over the trees grown, in units of 2^-32; exact in a float64."""
        total = np.zeros(len(bins), np.int64)
        for tree in self.grown:
            total += np.array(tree.leaves, np.int64)[tree.reach(bins)]
        return total.astype(np.float64)

    def where(self, bins: NDArray[np.intp]) -> NDArray[np.intp]:
        """The open node of each row; below 0 where its leaf is closed."""
        return self.growing.reach(bins) - self.closed

    def levelled(
        self,
        cuts: Sequence[tuple[int, int] | None],
        leaves: Sequence[tuple[int, int]],
        *,
        last: bool,
    ) -> Forest:
        """Open node i cut at `cuts[i]`, its sides worth `leaves[i]`; closed where None."""
        closed = list(self.growing.leaves[: self.closed])
        fresh: list[int] = []
        splits = list(self.growing.splits)
        # Where leaves of the old numbering went: another leaf, or a new split.
        moved: dict[int, int] = {~i: ~i for i in range(self.closed)}
        for at, (cut, _) in enumerate(zip(cuts, leaves, strict=True)):
            if cut is None:
                moved[~(self.closed + at)] = ~len(closed)
                closed.append(leaves[at][0])
        base = len(closed)
        for at, cut in enumerate(cuts):
            if cut is not None:
                moved[~(self.closed + at)] = len(splits)
                splits.append((*cut, ~(base + len(fresh)), ~(base + len(fresh) + 1)))
                fresh += leaves[at]
        old = len(self.growing.splits)
        renumbered = [
            (f, c, moved.get(left, left), moved.get(right, right))
            for f, c, left, right in splits[:old]
        ] + splits[old:]
        tree = Grown(tuple(renumbered), (*closed, *fresh))
        if last or not fresh:
            return replace(Forest.empty(), grown=(*self.grown, tree))
        return Forest(self.grown, tree, base, self.level + 1)

    def encode(self) -> bytes:
        parts = [_HEAD.pack(self.level, len(self.grown))]
        parts += [_tree(tree, len(tree.leaves)) for tree in self.grown]
        parts.append(_tree(self.growing, self.closed))
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes, features: int, bins: int) -> Forest:
        """Raises BadInput for anything `encode` would not write."""
        try:
            level, count = _HEAD.unpack_from(data)
            at, trees = _HEAD.size, []
            closed = 0
            for _ in range(count + 1):
                tree, closed, at = _read(data, at, features, bins)
                trees.append(tree)
            forest = cls(tuple(trees[:-1]), trees[-1], closed, level)
            if at == len(data) and forest.open_nodes > 0:
                return forest
        except (struct.error, IndexError):
            pass
        raise BadInput(
            f"{len(data)} bytes are no state of federated trees",
            remedy="fetch the state that the last final round names",
        )


def _tree(tree: Grown, closed: int) -> bytes:
    head = _COUNTS.pack(len(tree.splits), len(tree.leaves), closed)
    splits = b"".join(_SPLIT.pack(*split) for split in tree.splits)
    return head + splits + b"".join(_LEAF.pack(leaf) for leaf in tree.leaves)


def _read(data: bytes, at: int, features: int, bins: int) -> tuple[Grown, int, int]:
    n_splits, n_leaves, closed = _COUNTS.unpack_from(data, at)
    at += _COUNTS.size
    splits: list[Split] = []
    for number in range(n_splits):
        feature, cut, left, right = _SPLIT.unpack_from(data, at)
        at += _SPLIT.size
        if feature >= features or not 1 <= cut < bins - 1:
            raise IndexError
        for child in (left, right):
            if not (number < child < n_splits or 0 <= ~child < n_leaves):
                raise IndexError
        splits.append((feature, cut, left, right))
    leaves = []
    for _ in range(n_leaves):
        leaves.append(_LEAF.unpack_from(data, at)[0])
        at += _LEAF.size
    if n_leaves != n_splits + 1 or closed > n_leaves:
        raise IndexError
    return Grown(tuple(splits), tuple(leaves)), closed, at
