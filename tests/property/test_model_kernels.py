"""The compiled kernels give the reference's integers, whatever way they choose for a tree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import random_tree, rows_for
from veridict.models import reference
from veridict.models.fast import FEW, FastTrees
from veridict.models.image import pack
from veridict.models.kernels import BLOCK
from veridict.models.layout import Node, Tree, TreeModel
from veridict.models.masks import masked
from veridict.models.tables import LEAVES, TALL, Numbering
from veridict.models.vector import TreeRuntime

ROWS = (1, 2, FEW - 1, FEW, BLOCK, BLOCK + 1, 2 * BLOCK + FEW)


def _model(seed: int, sizes: tuple[int, int], outputs: int) -> TreeModel:
    rng = random.Random(seed)
    features = rng.randint(1, 9)
    trees = tuple(
        random_tree(rng, features, rng.randint(*sizes)) for _ in range(outputs * rng.randint(0, 4))
    )
    return TreeModel(features, -7, trees, tuple(range(outputs - 1)))


def _chain(length: int) -> Tree:
    """Every node has one leaf on the left, and the next node on the right."""
    nodes = tuple(
        Node(n % 2, 1 + n * 2**50, n % 3 == 0, ~n, n + 1 if n + 1 < length else ~length)
        for n in range(length)
    )
    return Tree(nodes, tuple(n * n + 1 for n in range(length + 1)))


@given(
    seed=st.integers(0, 2**32),
    sizes=st.sampled_from([(1, 8), (20, 40), (60, 126), (126, 300)]),
    outputs=st.sampled_from([1, 1, 3]),
    rows=st.sampled_from(ROWS),
)
@settings(max_examples=120, deadline=None)
def test_kernels_equal_the_reference(
    seed: int, sizes: tuple[int, int], outputs: int, rows: int
) -> None:
    model = _model(seed, sizes, outputs)
    table = rows_for(model, seed, rows)
    images = np.array(table, dtype=np.uint64)
    fast = FastTrees(model)
    every = fast.scores(images)
    assert every.tolist() == TreeRuntime(model).scores(images).tolist()
    for row, image, scores in list(zip(table, images, every.tolist(), strict=True))[:3]:
        assert scores == reference.scores(model, row)
        assert fast.score_one(pack(image)) == reference.score(model, row)


@pytest.mark.parametrize("length", [1, LEAVES - 1, LEAVES, 60, TALL - 1, TALL, 255])
def test_chains_are_asked_or_walked(length: int) -> None:
    model = TreeModel(2, 0, (_chain(length), _chain(1), _chain(40)))
    images = np.array(rows_for(model, 5, BLOCK), dtype=np.uint64)
    expected = TreeRuntime(model).scores(images).tolist()
    assert FastTrees(model).scores(images).tolist() == expected


def test_trees_are_cut_into_few_masks_or_not_at_all() -> None:
    model = _model(3, (100, 120), 1)
    numbering = Numbering.of(model)
    for tree in model.trees:
        pieces = masked(tree, numbering)
        assert pieces is not None
        assert 4 <= len(pieces) <= 17
    chain = TreeModel(2, 0, (_chain(100),))
    assert masked(chain.trees[0], Numbering.of(chain)) is None


def test_more_thresholds_than_a_mask_can_number_are_walked() -> None:
    trees = tuple(Tree((Node(0, n, False, ~0, ~1),), (0, 1)) for n in range(1, 70_000))
    model = TreeModel(1, 0, trees)
    images = np.arange(0, 70_000, 2_000, dtype=np.uint64)[:, None]
    expected = np.maximum(images[:, 0].astype(np.int64) - 1, 0)
    assert FastTrees(model).scores(images)[:, 0].tolist() == expected.tolist()
