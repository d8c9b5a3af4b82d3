"""Random canonical models and rows that sit on their thresholds."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from veridict.models.image import MISSING, image_of
from veridict.models.layout import Node, Tree, TreeModel

SPECIAL = (
    0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324,
    2.2250738585072014e-308, -2.2250738585072014e-308, 1.7976931348623157e308,
    -1.7976931348623157e308, 1e-35, -1e-35, 0.1, 2.0**53, 1e300,
)  # fmt: skip


def random_tree(rng: random.Random, n_features: int, n_nodes: int) -> Tree:
    """Nodes in random shape; sometimes two nodes share a child, as zero-as-missing splits do."""
    n_leaves = 0
    children: list[list[int | None]] = [[None, None] for _ in range(n_nodes)]
    free = [(0, 0), (0, 1)]
    for number in range(1, n_nodes):
        parent, side = free.pop(rng.randrange(len(free)))
        children[parent][side] = number
        free += [(number, 0), (number, 1)]
    leaves: list[int] = []
    for parent, side in free:
        if leaves and rng.random() < 0.1:
            children[parent][side] = ~rng.randrange(n_leaves)
            continue
        leaves.append(rng.choice((0, 1, -1, rng.randrange(-(2**40), 2**40))))
        children[parent][side] = ~n_leaves
        n_leaves += 1
    nodes = []
    for left, right in children:
        assert left is not None
        assert right is not None
        missing_right = rng.random() < 0.5
        threshold = image_of(rng.choice(SPECIAL)) if rng.random() < 0.5 else rng.getrandbits(64)
        nodes.append(Node(rng.randrange(n_features), max(threshold, 1), missing_right, left, right))
    return Tree(tuple(nodes), tuple(leaves))


def random_model(seed: int, *, max_trees: int = 8, max_nodes: int = 20) -> TreeModel:
    rng = random.Random(seed)
    n_features = rng.randint(1, 6)
    trees = tuple(
        random_tree(rng, n_features, rng.randint(1, max_nodes))
        for _ in range(rng.randint(0, max_trees))
    )
    return TreeModel(n_features, rng.randrange(-(2**45), 2**45), trees)


def rows_for(model: TreeModel, seed: int, count: int) -> list[list[int]]:
    """Rows of images: missing, special, random, and thresholds with their neighbours."""
    rng = random.Random(seed)
    pool = [image_of(value) for value in SPECIAL]
    for tree in model.trees:
        for node in tree.nodes:
            pool += [
                value
                for value in (node.threshold - 1, node.threshold, node.threshold + 1)
                if 0 <= value < 2**64
            ]

    def value() -> int:
        kind = rng.random()
        if kind < 0.15:
            return MISSING
        return rng.getrandbits(64) if kind < 0.25 else rng.choice(pool)

    return [[value() for _ in range(model.n_features)] for _ in range(count)]


models = st.integers(0, 2**32).map(random_model)
