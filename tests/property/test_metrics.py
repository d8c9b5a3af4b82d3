"""Metrics against scikit-learn, thresholds against trying every one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, Decision, Policy
from veridict.watch.arrays import I8, I64
from veridict.watch.metrics import average_precision, exact, measure, recall_at
from veridict.watch.scenario import Costs
from veridict.watch.thresholds import choose

# Few distinct scores, so that ties happen.
scored = st.lists(st.tuples(st.integers(-20, 20), st.sampled_from([0, 1])), min_size=2, max_size=60)


def arrays(drawn: list[tuple[int, int]]) -> tuple[I64, I8]:
    scores, labels = zip(*drawn, strict=True)
    assume(0 < sum(labels) < len(labels))
    return np.array(scores, np.int64), np.array(labels, np.int8)


@given(scored)
def test_average_precision_is_scikit_learns(drawn: list[tuple[int, int]]) -> None:
    scores, labels = arrays(drawn)
    found = average_precision(scores, labels)
    assert found is not None
    assert float(found) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)


@given(scored, st.sampled_from([Fraction(1, 100), Fraction(1, 4), Fraction(1)]))
def test_recall_is_that_of_the_roc_curve(drawn: list[tuple[int, int]], allowed: Fraction) -> None:
    scores, labels = arrays(drawn)
    false_alarms, recall, _ = roc_curve(labels, scores, drop_intermediate=False)
    honest = int((labels == 0).sum())
    within = np.rint(false_alarms * honest) <= float(allowed * honest)
    assert float(recall_at(scores, labels, allowed) or 0) == pytest.approx(recall[within].max())


def cost(policy: Policy, scores: I64, labels: I8, costs: Costs) -> int:
    total = 0
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        decision = policy.decide(score)
        if decision is Decision.ALLOW:
            total += costs.missed * label
        elif decision is Decision.REVIEW:
            total += costs.review
        else:
            total += costs.held * (1 - label)
    return total


@given(scored, st.integers(0, 9), st.integers(0, 3), st.integers(0, 9))
def test_no_other_policy_costs_less(
    drawn: list[tuple[int, int]], missed: int, review: int, held: int
) -> None:
    costs = Costs(missed, review, held)
    scores, labels = arrays(drawn)
    chosen = cost(choose(scores, labels, costs), scores, labels, costs)
    cuts = [INT64_MIN, *(int(s) for s in np.unique(scores)), INT64_MAX]
    others = [Policy(a, b) for a in cuts for b in cuts if a <= b]
    assert chosen <= min(cost(p, scores, labels, costs) for p in others)


def test_thresholds_lie_between_scores_and_survive_rounding() -> None:
    scores = np.array([-1000, -900, 400, 900], np.int64)
    labels = np.array([0, 0, 1, 1], np.int8)
    policy = choose(scores, labels, Costs(missed=10, review=1, held=5))
    assert -900 < policy.review_at < 400
    moved = choose(scores + np.array([1, -1, 1, -1]), labels, Costs(10, 1, 5))
    assert abs(moved.review_at - policy.review_at) <= 1


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], [-1, 1]])
def test_thresholds_need_both_kinds_of_rows(labels: list[int]) -> None:
    with pytest.raises(BadInput, match="with the event and rows without"):
        choose(np.array([1, 2]), np.array(labels, np.int8), Costs(10, 1, 5))


def test_figures_of_a_small_table_are_exact() -> None:
    scores = np.array([9, 8, 7, 6, 5, 4], np.int64)
    labels = np.array([1, 0, 1, -1, 0, 1], np.int8)  # one label unknown: left out
    found = measure("here", scores, labels, Policy(review_at=5, hold_at=8))
    assert (found.rows, found.events, found.flagged, found.held) == (5, 3, 4, 2)
    assert found.ap == exact(Fraction(1, 3) * (1 + Fraction(2, 3) + Fraction(3, 5)))
    assert found.precision_held == Decimal("0.5")
    assert found.recall_flagged == Decimal("0.666667")
    assert found.event_share == Decimal("0.6")


def test_what_cannot_be_divided_is_none() -> None:
    nothing = measure("none", np.zeros(0, np.int64), np.zeros(0, np.int8), Policy(0, 0))
    assert nothing.ap is None
    assert nothing.recall_at_1pct is None
    assert nothing.precision_flagged is None
    assert nothing.recall_held is None
