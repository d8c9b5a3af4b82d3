"""The reference interpreter: slow, plain, and right by reading. Every other runtime equals it."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.models.image import MISSING
from veridict.models.layout import Node, Tree, TreeModel


def score(model: TreeModel, row: Sequence[int]) -> int:
    """The score of one row of float images, in units of 2^-32."""
    return model.base + sum(leaf(tree, row) for tree in model.trees)


def leaf(tree: Tree, row: Sequence[int]) -> int:
    at = 0
    while at >= 0:
        node = tree.nodes[at]
        at = node.right if goes_right(node, row[node.feature]) else node.left
    return tree.leaves[~at]


def goes_right(node: Node, value: int) -> bool:
    if value == MISSING:
        return node.missing_right
    return value > node.threshold
