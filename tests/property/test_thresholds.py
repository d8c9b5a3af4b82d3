"""Thresholds chosen by cost: none costs less, and want of data is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, Decision, Policy
from veridict.models.image import image
from veridict.models.thresholds import Axis, Choice
from veridict.watch.scenario import Costs
from veridict.watch.thresholds import choose, choose_all, cost

rows = st.lists(
    st.tuples(st.integers(-4, 4), st.sampled_from([-1, 0, 0, 1]), st.integers(0, 50)),
    min_size=2, max_size=14,
)  # fmt: skip


def slow_cost(policy: Policy, told: list[tuple[int, int, int]], costs: Costs) -> int:
    """Row by row, as the words say it."""
    total = 0
    for score, label, missed in told:
        if label < 0:
            continue
        decision = policy.decide(score)
        total += missed if decision is Decision.ALLOW and label == 1 else 0
        total += costs.review if decision is Decision.REVIEW else 0
        total += costs.held if decision is Decision.HOLD and label == 0 else 0
    return total


@given(rows, st.integers(0, 9), st.integers(0, 30))
def test_no_other_pair_costs_less(told: list[tuple[int, int, int]], review: int, held: int) -> None:
    scores, labels, missed = (np.array(column, np.int64) for column in zip(*told, strict=True))
    costs = Costs(0, review, held)
    if not {0, 1} <= set(labels.tolist()):
        with pytest.raises(BadInput):
            choose(scores, labels.astype(np.int8), costs, missed)
        return
    policy = choose(scores, labels.astype(np.int8), costs, missed)
    found = slow_cost(policy, told, costs)
    assert cost(policy, scores, labels.astype(np.int8), costs, missed) == found
    cuts = [INT64_MIN, *range(-4, 6), INT64_MAX]
    others = (slow_cost(Policy(a, b), told, costs) for a in cuts for b in cuts if a <= b)
    assert found == min(others)


def many(seed: int, count: int) -> tuple[np.ndarray, ...]:
    """Scores that tell more of the large amounts than of the small ones."""
    chance = np.random.default_rng(seed)
    amounts = chance.choice([5.0, 500.0, 50_000.0], count, p=[0.6, 0.39, 0.01])
    labels = (chance.random(count) < 0.2).astype(np.int8)
    scores = np.rint(1000 * (labels * np.log10(amounts) + chance.normal(0, 1, count)))
    return image(amounts[:, None]), scores.astype(np.int64), labels, amounts.astype(np.int64)


def test_each_segment_is_as_good_as_the_pooled_or_says_it_is_pooled() -> None:
    choice = Choice(None, 20, 60, axes=(Axis("amount", ("100", "1000")),))
    images, scores, labels, amounts = many(1, 4000)
    pooled, chosen = choose_all(choice, ("amount",), images, scores, labels, amounts)
    small, middle, large = chosen.bands
    assert (small.own, middle.own, large.own) == (True, True, False)
    assert large.policy == pooled
    assert large.events < choice.least_events
    assert large.cost == large.pooled_cost
    assert small.cost <= small.pooled_cost
    assert middle.cost < middle.pooled_cost
    assert small.policy != middle.policy
    assert sum(band.rows for band in chosen.bands) == 4000
    again = choose_all(chosen, ("amount",), images, scores, labels, amounts)
    assert again == (pooled, chosen)


def test_without_axes_there_is_one_pair() -> None:
    images, scores, labels, amounts = many(2, 500)
    pooled, chosen = choose_all(Choice(8, 1, 5), ("amount",), images, scores, labels, amounts)
    assert chosen == Choice(8, 1, 5)
    assert pooled == choose(scores, labels, Costs(8, 1, 5))
    assert chosen.policy(pooled, ("amount",)) == pooled


def test_an_axis_must_cut_a_feature_of_the_model() -> None:
    images, scores, labels, amounts = many(3, 500)
    choice = Choice(8, 1, 5, axes=(Axis("channel", ("1",)),))
    with pytest.raises(BadInput, match="no feature 'channel'"):
        choose_all(choice, ("amount",), images, scores, labels, amounts)
