"""Exact Shapley values: equal to their definition, and their sum is the score to the last bit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import SPECIAL, random_model
from veridict.core.errors import BadInput
from veridict.models.image import image_of
from veridict.models.layout import TreeModel
from veridict.models.reference import scores
from veridict.models.shapley import MAX_BACKGROUND, shapley


def _score(model: TreeModel, row: Sequence[int], output: int) -> int:
    return list(scores(model, row))[output]


def _by_definition(model: TreeModel, row: list[int], other: list[int], output: int) -> list[int]:
    """What each feature adds, summed over every order in which the features are exchanged."""
    parts = [0] * model.n_features
    for order in permutations(range(model.n_features)):
        mixed = list(other)
        for feature in order:
            before = _score(model, mixed, output)
            mixed[feature] = row[feature]
            parts[feature] += _score(model, mixed, output) - before
    return parts


def _rows(seed: int, model: TreeModel, count: int) -> list[list[int]]:
    rng = random.Random(seed)
    thresholds = [node.threshold for tree in model.trees for node in tree.nodes]
    known = [*thresholds, *(t - 1 for t in thresholds), *(image_of(v) for v in SPECIAL)]
    return [[rng.choice(known) for _ in range(model.n_features)] for _ in range(count)]


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_the_sum_is_the_score(seed: int, outputs: int) -> None:
    model = random_model(seed, max_outputs=outputs)
    row, *background = _rows(seed, model, 4)
    for output in range(model.n_outputs):
        found = shapley(model, row, background, output)
        assert found.base + sum(found.values) == found.score == _score(model, row, output)
        mean = Fraction(sum(_score(model, other, output) for other in background), 3)
        assert found.base == mean


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_values_are_those_of_the_definition(seed: int) -> None:
    model = random_model(seed, max_trees=3, max_nodes=8)
    if model.n_features > 5:
        return
    row, other = _rows(seed, model, 2)
    orders = len(list(permutations(range(model.n_features))))
    due = [Fraction(part, orders) for part in _by_definition(model, row, other, 0)]
    assert list(shapley(model, row, [other]).values) == due


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_row_against_itself_owes_nothing(seed: int) -> None:
    model = random_model(seed)
    (row,) = _rows(seed, model, 1)
    found = shapley(model, row, [row])
    assert set(found.values) == {Fraction(0)}
    assert found.base == found.score


def test_rows_that_do_not_fit_are_refused() -> None:
    model = random_model(1)
    (row,) = _rows(1, model, 1)
    for background in ([], [row[1:]], [row] * (MAX_BACKGROUND + 1)):
        with pytest.raises(BadInput):
            shapley(model, row, background)
