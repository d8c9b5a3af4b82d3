"""What noise costs, and how far a row can move an update."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.core.errors import BadInput
from veridict.federated.fixed import ONE, norm2
from veridict.federated.learners import Learner, Rows, Scale, learner_of
from veridict.federated.privacy.accounting import (
    SLACK,
    epsilon_of,
    multiplier_for,
    sampled_epsilon_of,
)
from veridict.federated.privacy.guard import Guard
from veridict.federated.privacy.private import Private

SCALE = Scale(("a", "b"), (0.0, 1.0), (1.0, 2.0), ((-1.0, 0.0, 1.0), (0.0, 2.0)), 400)
LEARNERS: dict[str, dict[str, int | float]] = {
    "logistic": {"rounds": 5, "row_norm": 1.0, "rate": 2.0},
    "network": {"rounds": 5, "row_norm": 1.5, "hidden": 3, "rate": 0.2},
    "trees": {"trees": 2, "depth": 2},
}


def private(name: str, **changes: object) -> Private:
    fields = {
        "unit": "row", "noise": "local", "epsilon": 3.0, "delta": 1e-5, "multiplier": 4.0,
        "rows_min": 50,
    }  # fmt: skip
    return Private(_inner(name), Guard(**(fields | changes)), 400)  # type: ignore[arg-type]


def _inner(name: str) -> Learner:
    return learner_of(name, LEARNERS[name], SCALE)


def exact_delta(ratio: float, epsilon: float) -> float:
    """Of one Gaussian whose mean moves by `ratio` deviations (Balle & Wang 2018)."""

    def normal(x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    first = normal(ratio / 2 - epsilon / ratio)
    return first - math.exp(epsilon) * normal(-ratio / 2 - epsilon / ratio)


@pytest.mark.parametrize(("multiplier", "rounds", "delta"), [(3.3, 10, 1e-3), (5.0, 30, 1e-5)])
def test_distributions_say_what_the_closed_form_says(
    multiplier: float, rounds: int, delta: float
) -> None:
    found = epsilon_of(multiplier, rounds, delta) - rounds * SLACK
    ratio = math.sqrt(rounds) / multiplier
    assert exact_delta(ratio, found) <= delta
    assert exact_delta(ratio, found - 0.01) > delta


def test_the_multiplier_is_the_least_that_keeps_the_budget() -> None:
    found = multiplier_for(3.0, 1e-5, 20)
    assert epsilon_of(found, 20, 1e-5) <= 3.0 < epsilon_of(found * 0.99, 20, 1e-5)
    assert sampled_epsilon_of(found, 0.1, 20, 1e-5) < 1.0
    assert epsilon_of(found, 0, 1e-5) == 0.0


@pytest.mark.parametrize("arguments", [(0.01, 100, 1e-5)])
def test_noise_that_hides_nothing_is_refused(arguments: tuple[float, int, float]) -> None:
    with pytest.raises(BadInput):
        epsilon_of(*arguments)


@pytest.mark.parametrize("name", sorted(LEARNERS))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_blanking_one_row_moves_an_update_no_further_than_is_counted_on(
    name: str, data: st.DataObject
) -> None:
    """Of any table, any row, also an absurd one. A blank row is one that adds nothing."""
    it = private(name)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n = data.draw(st.integers(50, 400))
    features = rng.normal(size=(n, 2)) * data.draw(st.sampled_from([1.0, 1e6]))
    rows = Rows(features, (rng.random(n) < 0.5).astype(np.int8))
    state = it.start()
    if data.draw(st.booleans()):
        state = it.moved(state, rng.integers(-ONE // 99, ONE // 99, it.length(state)) // 64)
    whole = it.update(state, rows).values
    # The mean over n rows less the first row's part is the update with that row blanked.
    vector = it.vector(state, rows, 0)
    alone = it.vector(state, Rows(features[:1], rows.labels[:1]), 0)
    blank = vector - alone / n
    room, weight = it.headroom(state), it.weight(n) / (1 << 16)
    scaled = np.trunc(blank * (ONE / it.clip(state).norm) * weight).astype(np.int64)
    moved = whole - np.sign(scaled) * (np.abs(scaled) // room)
    assert math.sqrt(norm2(moved)) <= it.sensitivity(state)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_noise_fits_under_the_norm_bound_of_the_smallest_party(name: str) -> None:
    it = private(name)
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(50, 2)), np.ones(50, np.int8))
    state = it.start()
    noisy = it.guarded(state, it.update(state, rows))
    assert norm2(noisy.values) <= (noisy.weight << 11) ** 2


def test_sharers_of_noise_together_add_all_of_it() -> None:
    alone, shared = private("logistic"), private("logistic", noise="shared", sharers=4)
    state = alone.start()
    whole = alone.deviation(state) / alone.sensitivity(state)
    part = shared.deviation(state) / shared.sensitivity(state)
    assert part * 2 == pytest.approx(whole, rel=1e-3)


def test_a_party_is_a_larger_unit_than_a_row() -> None:
    row, party = private("logistic"), private("logistic", unit="party", multiplier=0.1)
    state = row.start()
    assert party.sensitivity(state) * party.headroom(state) > 300 * row.sensitivity(state)


def test_steps_come_back_to_the_learner_s_units() -> None:
    it = private("logistic")
    rng = np.random.default_rng(1)
    rows = Rows(rng.normal(size=(400, 2)), (rng.random(400) < 0.5).astype(np.int8))
    inner = _inner("logistic")
    state = it.start()
    step, plain = it.update(state, rows).values, inner.update(state, rows).values
    one, other = (
        inner.scores(made, rows.features)
        for made in (it.moved(state, step), inner.moved(state, plain))
    )
    assert np.abs(one - other).max() < 1e-5
