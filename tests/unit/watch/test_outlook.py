"""Outlooks count what happened, cost what thresholds are chosen by, and know how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.watch.arrays import I8
from veridict.watch.outlook import DAY_S, Decided, compare, outlook
from veridict.watch.scenario import Costs
from veridict.watch.thresholds import choose

COSTS = Costs(missed=8, review=1, held=5)


def decided(decisions: I8, labels: I8, *, name: str = "one", per_day: int = 10) -> Decided:
    n = len(labels)
    causes = ["amount" if d else "" for d in decisions.tolist()]
    times = np.arange(n, dtype=np.int64) * (DAY_S // per_day)
    return Decided(name, times, decisions, labels, np.full(n, 1_000, np.int64), causes)


def drawn(n: int = 2_000, seed: int = 5) -> tuple[I8, I8]:
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.1).astype(np.int8)
    sure = generator.random(n) < np.where(labels == 1, 0.7, 0.05)
    held = sure & (generator.random(n) < 0.3)
    return np.where(held, 2, np.where(sure, 1, 0)).astype(np.int8), labels


def test_every_count_is_that_of_the_rows() -> None:
    decisions = np.array([0, 1, 2, 2, 0, 1, 1], np.int8)
    labels = np.array([0, 1, 0, 1, 1, -1, 0], np.int8)
    found = outlook(decided(decisions, labels, per_day=3), COSTS)
    assert (found.rows, found.known, found.events, found.flagged, found.held) == (7, 6, 3, 5, 2)
    assert found.days == 3
    assert found.per_day.value == pytest.approx(5 / 3)
    assert (found.precision.value, found.recall.value) == (2 / 4, 2 / 3)
    assert (found.caught_minor, found.missed_minor, found.disturbed_minor) == (2000, 1000, 2000)
    # one missed, reviews of an event and of an honest row, an honest row held, an event held
    assert found.cost_per_day.value == pytest.approx((8 + 1 + 1 + 5 + 0) / 3)
    assert found.causes == (("amount", 5),)


def test_the_cost_is_the_one_that_thresholds_are_chosen_by() -> None:
    """No other pair of thresholds is cheaper in an outlook than the chosen one."""
    generator = np.random.default_rng(3)
    labels = (generator.random(400) < 0.2).astype(np.int8)
    scores = (100 * (labels + generator.normal(0, 0.7, 400))).astype(np.int64)

    def cost(review_at: int, hold_at: int) -> float:
        decisions = (scores >= review_at).astype(np.int8) + (scores >= hold_at).astype(np.int8)
        return outlook(decided(decisions, labels), COSTS).cost_per_day.value or 0.0

    policy = choose(scores, labels, COSTS)
    least = cost(policy.review_at, policy.hold_at)
    for review_at in range(-100, 300, 50):
        for hold_at in range(review_at, 300, 50):
            assert least <= cost(review_at, hold_at) + 1e-9


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """60 samples of a known process: 95 % intervals miss its precision in a few, not in many."""
    missed = 0
    truth = 0.1 * 0.7 / (0.1 * 0.7 + 0.9 * 0.05)
    for seed in range(60):
        found = outlook(decided(*drawn(seed=seed)), COSTS).precision
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        assert found.low <= found.value <= found.high
        missed += not found.low <= truth <= found.high
    assert missed <= 9  # of 60 at 95 % more than 9 have a chance of 1 in 1,000


def test_a_comparison_is_of_the_same_days_and_knows_no_difference_where_there_is_none() -> None:
    decisions, labels = drawn()
    one = decided(decisions, labels)
    same = compare(one, one, COSTS)
    assert (same.precision.low, same.precision.value, same.precision.high) == (0.0, 0.0, 0.0)
    assert (same.only_first, same.only_second) == (0, 0)
    better = np.where(labels == 1, 1, 0).astype(np.int8)
    found = compare(one, decided(better, labels, name="two"), COSTS)
    assert found.precision.low is not None
    assert found.precision.low > 0
    assert found.cost_per_day.high is not None
    assert found.cost_per_day.high < 0
    assert found.both_flagged + found.only_first == int((decisions > Decision.ALLOW).sum())


def test_other_rows_and_no_rows_are_refused() -> None:
    decisions, labels = drawn(50)
    with pytest.raises(BadInput, match="other rows"):
        compare(decided(decisions, labels), decided(decisions, labels, per_day=7), COSTS)
    with pytest.raises(BadInput, match="no rows"):
        outlook(decided(decisions[:0], labels[:0]), COSTS)


def test_without_labels_there_is_work_to_tell_and_nothing_else() -> None:
    decisions, _labels = drawn(200)
    found = outlook(decided(decisions, np.full(200, -1, np.int8)), COSTS)
    assert found.precision.value is None
    assert found.recall.value is None
    assert found.per_day.value == pytest.approx(found.flagged / 20)
