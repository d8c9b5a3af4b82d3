"""What features are worth adds up to the score, to the last bit, for models of every kind."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import models_of_any_kind, random_linear, random_mlp, rows_for
from veridict.core.errors import BadInput
from veridict.models import reference
from veridict.models.image import image_of
from veridict.models.layout import Layer, LinearModel, MlpModel, Model, Quantiser
from veridict.models.shapley import MAX_BACKGROUND
from veridict.models.worth import Method, method_of, worth

PLAIN = Quantiser(0, 0, 1000, 0)


@given(model=models_of_any_kind, seed=st.integers(0, 99), rows=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_the_sum_is_the_score_of_every_output(model: Model, seed: int, rows: int) -> None:
    row, *background = rows_for(model, seed, 1 + rows)
    for output, score in enumerate(reference.scores(model, row)):
        found = worth(model, row, background, output)
        others = [reference.scores(model, other)[output] for other in background]
        assert found.base == Fraction(sum(others), rows)
        assert found.base + sum(found.values) == found.score == score


@given(model=models_of_any_kind, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_features_that_do_not_differ_are_worth_nothing(model: Model, seed: int) -> None:
    row, other = rows_for(model, seed, 2)
    mixed = [mine if f % 2 else its for f, (mine, its) in enumerate(zip(row, other, strict=True))]
    values = worth(model, mixed, [other]).values
    assert not any(values[::2])
    assert not any(worth(model, row, [row]).values)


def _rows(*rows: tuple[float, ...]) -> list[list[int]]:
    return [[image_of(float(x)) for x in row] for row in rows]


def _by_definition(model: Model, row: list[int], other: list[int]) -> list[Fraction]:
    """What each feature adds, averaged over every order in which the features are exchanged."""
    orders = list(permutations(range(model.n_features)))
    parts = [0] * model.n_features
    for order in orders:
        mixed = list(other)
        for feature in order:
            before = reference.scores(model, mixed)[0]
            mixed[feature] = row[feature]
            parts[feature] += reference.scores(model, mixed)[0] - before
    return [Fraction(part, len(orders)) for part in parts]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_values_of_a_sum_are_shapley_s_but_for_rounding(seed: int) -> None:
    model = random_linear(seed)
    if model.n_features > 5:
        return
    row, other = rows_for(model, seed, 2)
    due = _by_definition(model, row, other)
    values = worth(model, row, [other]).values
    assert all(abs(a - b) < 2 for a, b in zip(values, due, strict=True))
    if model.shift == 0:
        assert list(values) == due


def test_a_term_is_its_weight_times_what_differs() -> None:
    model = LinearModel((PLAIN,) * 3, (5,), ((4,), (-2,), (7,)), 0)
    row, *others = _rows((3, 1, 9), (1, 1, 9), (0, 4, 9))
    found = worth(model, row, others)
    assert list(found.values) == [Fraction(4 * 5, 2), Fraction(-2 * -3, 2), 0]


def test_features_alike_are_worth_alike_in_a_network() -> None:
    """A neuron that is closed until both have moved: neither's place in the row may count."""
    hidden = Layer((-500,), ((1,), (1,)), 0, 2000)
    model = MlpModel((PLAIN,) * 2, (0,), (hidden, Layer((0,), ((1,),), 0, 0)))
    row, other = _rows((640, 640), (0, 0))
    assert worth(model, row, [other]).values == (Fraction(780, 2),) * 2


def test_a_network_of_one_layer_is_a_sum() -> None:
    model = MlpModel((PLAIN,) * 2, (9,), (Layer((3,), ((5,), (-7,)), 4, 0),))
    row, other = _rows((10, 20), (4, -1))
    assert list(worth(model, row, [other]).values) == [5 * 6 << 4, -7 * 21 << 4]
    assert method_of(model) is Method.PATH


@pytest.mark.parametrize("make", [random_linear, random_mlp])
def test_what_does_not_fit_is_refused(make: Callable[[int], Model]) -> None:
    model = make(1)
    (row,) = rows_for(model, 1, 1)
    for background in ([], [row[1:]], [row] * (MAX_BACKGROUND + 1)):
        with pytest.raises(BadInput):
            worth(model, row, background)
    for output in (-1, model.n_outputs):
        with pytest.raises(BadInput):
            worth(model, row, [row], output)
