"""Posting: never past the deadline, between hindsight and posting at once, as the replay says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.network import KNOTS, PAST, mainnet, small_planner
from veridict.control.features import FeeFeatures
from veridict.control.joining import at_levels
from veridict.control.posting import Ask, AtOnce, PostingRule, Threshold, should_post
from veridict.control.savings import Savings, cheapest, replay, threshold_accepts, tune
from veridict.control.waiting import at_left, learn_planner, planner_accepts
from veridict.core.errors import BadInput

FEES = st.lists(st.integers(1, 10**12), min_size=1, max_size=40)


class _Never:
    def accepts(self, ask: Ask) -> int:
        return 0


@given(FEES, st.sampled_from([_Never(), Threshold(bound=30, span=5), AtOnce()]))
def test_no_rule_passes_the_deadline(fees: list[int], rule: PostingRule) -> None:
    bound = len(fees)
    posted = [should_post(rule, Ask(bound - at, fee, fees[:at])) for at, fee in enumerate(fees)]
    assert any(posted)


@given(FEES, st.integers(1, 50))
def test_hindsight_is_the_least_of_each_window(fees: list[int], bound: int) -> None:
    said = cheapest(np.array(fees, dtype=float), bound).tolist()
    assert said == [min(fees[at : at + bound]) for at in range(len(fees))]


@given(FEES, st.integers(1, 40), st.floats(0, 0.5), st.integers(1, 10))
def test_a_replay_is_the_rule_asked_block_by_block(
    fees: list[int], bound: int, depth: float, span: int
) -> None:
    bound = min(bound, len(fees))
    rule = Threshold(bound, span, depth)
    upcoming = np.array(fees, dtype=float)
    paid = replay(upcoming, np.array([0]), bound, threshold_accepts(rule, upcoming))
    for at in range(bound):
        mean = sum(fees[max(0, at + 1 - span) : at + 1]) / (at + 1 - max(0, at + 1 - span))
        if at == bound - 1 or fees[at] <= mean * rule.share(bound - at):
            assert paid.tolist() == [float(fees[at])]
            break
    assert min(fees[:bound]) <= paid[0] <= max(fees[:bound])


def test_without_history_a_threshold_posts() -> None:
    assert should_post(Threshold(), Ask(500, 10**9))


def test_a_planner_saves_on_blocks_it_has_not_seen() -> None:
    table, planner = mainnet(), small_planner()
    rows = FeeFeatures().batch(table)
    upcoming = table.base_fee_wei.astype(float)
    starts = np.arange(PAST, len(table) - KNOTS[-1], 10)
    worth = at_levels(planner.compiled, rows, KNOTS)
    paid = replay(upcoming, starts, KNOTS[-1], planner_accepts(worth, KNOTS, upcoming))
    saved = Savings.of(upcoming, starts, paid, KNOTS[-1])
    assert 0 < saved.saved < saved.hindsight_saved
    assert 0 < saved.of_hindsight < 1


def test_a_planner_asked_live_says_what_it_says_in_a_replay() -> None:
    planner = small_planner()
    rows = FeeFeatures().batch(mainnet().slice(0, 700))
    worth = at_levels(planner.compiled, rows, KNOTS)
    for left in (2, 5, 17, 100, 900):
        ask = Ask(left, 10**9, [], rows[-1:])
        assert planner.accepts(ask) == int(
            10**9 * (planner.patience * at_left(worth[-1:], KNOTS, left)[0])
        )
    blind = Ask(50, 10**9, [2 * 10**9] * 10)
    assert planner.accepts(blind) == planner.threshold.accepts(blind)


def test_waiting_is_worth_nothing_at_the_last_block_and_is_read_between_knots() -> None:
    worth = np.array([[0.9, 0.8, 0.7]])
    assert at_left(worth, KNOTS, 1).tolist() == [1.0]
    assert at_left(worth, KNOTS, 5)[0] == pytest.approx(0.9)
    assert 0.8 < at_left(worth, KNOTS, 12)[0] < 0.9
    assert at_left(worth, KNOTS, 5_000)[0] == pytest.approx(0.7)


def test_tuning_finds_the_cheapest_of_its_choices() -> None:
    upcoming = np.array([10.0, 7.0, 3.0, 10.0] * 50)
    starts = np.arange(20, 190)
    best = tune(upcoming, upcoming, starts, 4, spans=(8,), depths=(0.0, 0.6), ends=(1.0,))
    assert best.depth == 0.6
    paid = replay(upcoming, starts, 4, threshold_accepts(best, upcoming))
    assert Savings.of(upcoming, starts, paid, 4).of_hindsight > 0.5


def test_too_few_blocks_are_refused() -> None:
    table = mainnet().slice(0, 900)
    with pytest.raises(BadInput, match="too few"):
        learn_planner(table, FeeFeatures().batch(table))
