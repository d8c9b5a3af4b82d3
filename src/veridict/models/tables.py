"""A model of trees as arrays that the compiled kernels (`kernels`) read.

No kernel compares images in a tree. Each feature's thresholds are sorted once,
and a row's image becomes its **rank**: how many of them lie below it. A row goes
right at a node exactly where its rank exceeds the threshold's number. A feature
has two **slots**, which differ where it is missing: rank 0 in slot 2i (missing
goes left), above every threshold in slot 2i + 1 (right).

**Records**, for tall trees and for reasons: a node is one word, so that a step is one comparison.

    node  = slot << 47 | number of the threshold << 24 | 2 × pair
    leaf  = 1 << 63 | number of the leaf
    row   = key of each slot: slot << 47 | rank << 24
    next  = records[2 × pair + (node < key of its slot)]

Pairs are the two children of a node, side by side; pairs of like depth stand
together, so that a row that walks all trees in step reads memory in order.

**Lanes**, for trees that are small enough: every node is asked at once, see `lanes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from veridict.models.layout import Tree, TreeModel

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]


class Ranks(NamedTuple):
    """Thresholds of the features that any tree asks for, `F` of them."""

    features: U64  # [F], their numbers
    counts: I64  # [F], of thresholds
    thresholds: U64  # feature by feature, ascending


class Walks(NamedTuple):
    """Records of trees that are walked."""

    roots: U64
    records: U64
    values: I64  # of each leaf
    outputs: U64  # to which output the leaf adds


@dataclass(frozen=True, slots=True)
class Numbering:
    """Slots and numbers of thresholds."""

    ranks: Ranks
    _number: dict[int, dict[int, int]]  # of each threshold of each feature
    _place: dict[int, int]  # of each feature among those that are asked for

    @classmethod
    def of(cls, model: TreeModel) -> Numbering:
        asked: dict[int, set[int]] = {}
        for tree in model.trees:
            for node in tree.nodes:
                asked.setdefault(node.feature, set()).add(node.threshold)
        features = sorted(asked)
        in_order = [sorted(asked[feature]) for feature in features]
        ranks = Ranks(
            np.array(features, dtype=np.uint64),
            np.array([len(own) for own in in_order], dtype=np.int64),
            np.array([t for own in in_order for t in own], dtype=np.uint64),
        )
        number = {
            feature: {threshold: n for n, threshold in enumerate(own)}
            for feature, own in zip(features, in_order, strict=True)
        }
        return cls(ranks, number, {feature: place for place, feature in enumerate(features)})

    def asked(self, tree: Tree) -> list[tuple[int, int]]:
        """(slot, number of the threshold) of each node of `tree`."""
        number, place = self._number, self._place
        return [
            (2 * place[n.feature] + n.missing_right, number[n.feature][n.threshold])
            for n in tree.nodes
        ]

    @property
    def highest(self) -> int:
        """The highest rank a row can have."""
        return int(self.ranks.counts.max(initial=0))


def walks(trees: Sequence[Tree], outputs: Sequence[int], numbering: Numbering) -> Walks:
    """Records of `trees`, of which each adds to its one of `outputs`."""
    first_pair = np.cumsum([0, *(len(tree.nodes) for tree in trees)])
    depths = [depth for tree in trees for depth in _depths(tree)]
    place = np.empty(len(depths), dtype=np.int64)
    place[np.argsort(depths, kind="stable")] = np.arange(len(depths))
    places = place.tolist()
    roots: list[int] = []
    records = [0] * (2 * len(depths))
    values: list[int] = []
    of_leaf: list[int] = []
    for tree, output, first in zip(trees, outputs, first_pair.tolist(), strict=False):
        node_at = [
            slot << 47 | number << 24 | 2 * places[first + n]
            for n, (slot, number) in enumerate(numbering.asked(tree))
        ]
        leaf_at = 1 << 63 | len(values)
        roots.append(node_at[0])
        for n, node in enumerate(tree.nodes):
            at = 2 * places[first + n]
            left, right = node.left, node.right
            records[at] = node_at[left] if left >= 0 else leaf_at + ~left
            records[at + 1] = node_at[right] if right >= 0 else leaf_at + ~right
        values += tree.leaves
        of_leaf += [output] * len(tree.leaves)
    return Walks(
        np.array(roots, dtype=np.uint64),
        np.array(records, dtype=np.uint64),
        np.array(values, dtype=np.int64),
        np.array(of_leaf, dtype=np.uint64),
    )


def steps(trees: Sequence[Tree]) -> Iterator[tuple[int, int, int, int]]:
    """(place in `Walks.records`, tree, node, child) of every step that a walk can take."""
    depths = [
        (depth, t, n) for t, tree in enumerate(trees) for n, depth in enumerate(_depths(tree))
    ]
    for pair, (_, t, n) in enumerate(sorted(depths)):
        node = trees[t].nodes[n]
        yield 2 * pair, t, n, node.left
        yield 2 * pair + 1, t, n, node.right


def _depths(tree: Tree) -> list[int]:
    depths = [0] * len(tree.nodes)
    for number, node in enumerate(tree.nodes):
        for child in (node.left, node.right):
            if child >= 0:
                depths[child] = max(depths[child], depths[number] + 1)
    return depths
