"""The compiled kernels give the reference's integers, whatever way they choose for a tree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite.binding import get_host_cpu_features
from numba import njit

from tests.support.models import random_tree, rows_for
from veridict.models import lookup, reference
from veridict.models.blocks import GROUPS, KEYS
from veridict.models.fast import FastTrees
from veridict.models.image import pack
from veridict.models.kernels import ROWS
from veridict.models.lanes import LANES, LEAVES, TALL, branches, lanes
from veridict.models.layout import Node, Tree, TreeModel
from veridict.models.tables import Numbering
from veridict.models.vector import TreeRuntime

COUNTS = (1, 2, ROWS, ROWS + 1, 2 * ROWS + 9)


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
    sizes=st.sampled_from([(1, 8), (20, 40), (60, 70), (60, 126), (200, 300)]),
    outputs=st.sampled_from([1, 1, 3]),
    rows=st.sampled_from(COUNTS),
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


@pytest.mark.parametrize("length", [1, LANES - 1, LANES, LANES + 1, 100, 255])
def test_chains_are_asked_or_walked(length: int) -> None:
    model = TreeModel(2, 0, (_chain(length), _chain(1), _chain(40)))
    images = np.array(rows_for(model, 5, ROWS), dtype=np.uint64)
    expected = TreeRuntime(model).scores(images).tolist()
    assert FastTrees(model).scores(images).tolist() == expected


def _perfect(depth: int) -> Tree:
    """Every path asks `depth` questions, so that light children follow one another."""
    inner = 2**depth - 1
    nodes = tuple(
        Node(n % 7, 1 + n * 2**49, n % 3 == 0, *(c if c < inner else inner + ~c for c in below))
        for n, below in ((n, (2 * n + 1, 2 * n + 2)) for n in range(inner))
    )
    return Tree(nodes, tuple(3**n % 1_000_003 for n in range(inner + 1)))


@pytest.mark.parametrize("depth", range(1, 9))
def test_every_leaf_of_a_perfect_tree_is_found(depth: int) -> None:
    model = TreeModel(7, 0, (_perfect(depth), _chain(3), _perfect(2)))
    images = np.array(rows_for(model, depth, 2_000), dtype=np.uint64)
    expected = TreeRuntime(model).scores(images).tolist()
    assert FastTrees(model).scores(images).tolist() == expected


def test_trees_are_cut_into_few_pieces_or_not_at_all() -> None:
    model = _model(3, (200, 250), 1)
    numbering = Numbering.of(model)
    for tree in model.trees:
        pieces = branches(tree, numbering)
        assert pieces is not None
        assert 4 <= len(pieces) <= 17
        assert all(len(lanes(piece).asked) <= LANES for piece in pieces)
    chain = TreeModel(2, 0, (_chain(200),))
    assert branches(chain.trees[0], Numbering.of(chain)) is None
    assert LEAVES < TALL


def test_more_thresholds_than_a_byte_can_number() -> None:
    trees = tuple(Tree((Node(0, n, n % 2 == 0, ~0, ~1),), (0, 1)) for n in range(1, 7_000))
    model = TreeModel(1, 0, trees)
    images = np.arange(0, 7_000, 200, dtype=np.uint64)[:, None]
    expected = np.maximum(images[:, 0].astype(np.int64) - 1, 0)
    expected[0] = 3_499  # missing: right where the threshold is even
    assert FastTrees(model).scores(images)[:, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("n_features", [70, 300, 1_000])
def test_more_features_than_a_block_has_keys(n_features: int) -> None:
    rng = random.Random(n_features)
    trees = tuple(random_tree(rng, n_features, rng.randint(1, 64)) for _ in range(2 * GROUPS + 9))
    model = TreeModel(n_features, 5, trees)
    fast, images = FastTrees(model), np.array(rows_for(model, 1, 40), dtype=np.uint64)
    assert fast.scores(images).tolist() == TreeRuntime(model).scores(images).tolist()
    assert int(fast.words[13]) > n_features // KEYS


WAYS: dict[lookup.Way, str] = {
    lookup.one_by_one: "",
    lookup.by_tables_of_16: "ssse3",
    lookup.by_tables_of_32: "avx2",
    lookup.by_tables_of_64: "avx512bw",
    lookup.by_64: "avx512vbmi",
}


@pytest.mark.parametrize("tables", [2, 4, 8])
@pytest.mark.parametrize("way", WAYS)
def test_lanes_are_asked_alike_by_every_processor(way: lookup.Way, tables: int) -> None:
    if WAYS[way] and not get_host_cpu_features().get(WAYS[way]):
        pytest.skip(f"this processor has no {WAYS[way]}")
    asked = lookup.asked(tables, way)
    ask = njit(lambda words, at, keys, own: asked(words, at, keys, own))
    rng = np.random.default_rng(tables)
    count = 16 * tables
    words = rng.integers(0, 2**64, size=40, dtype=np.uint64)
    keys = rng.integers(-128, 128, size=10 + 2 * count, dtype=np.int8)
    keys[10 + count // 2 : 10 + count] = -128
    keys[10 + count :] = keys[10 : 10 + count] - np.int8(1)
    for at in range(0, 24, 8):
        lanes = words[at : at + 16].view(np.uint8)
        lanes[:64] &= 0x80 | count - 1
        if tables == 2:
            lanes[:64] |= lanes[:64] >> 2 & 32
        found = keys[10 + (lanes[:64] & count - 1)] - (lanes[:64] >> 7).astype(np.int8)
        bits = int(ask(words, np.uint64(at), keys.view(np.uint8), np.uint64(10)))
        expected = found > lanes[64:].view(np.int8)
        assert [bool(bits >> lane & 1) for lane in range(64)] == expected.tolist()


@pytest.mark.parametrize("wide", [2**31, 2**32 - 1, 2**32, 2**61])
def test_leaves_of_any_width(wide: int) -> None:
    """A tree whose leaves lie 2^32 apart has leaves of 64 bits, its neighbours have not."""
    low = Tree((Node(0, 9, True, ~0, ~1),), (-5, 7))
    far = Tree((Node(0, 4, True, ~0, ~1),), (-(wide // 2), wide - wide // 2))
    model = TreeModel(1, 11, (low, far, low, far))
    images = np.array([[0], [4], [5], [9], [10]], dtype=np.uint64)
    expected = TreeRuntime(model).scores(images).tolist()
    assert FastTrees(model).scores(images).tolist() == expected
