"""Block space in simulation: who gets in, what it costs, and limits that hold."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.control.blockspace import Engine, Mined, run
from veridict.control.capacity import UNIT, Controller, learn
from veridict.control.capacity_trial import try_capacity
from veridict.control.parameter import Follower, Limits

PLENTY = 10**9
FAST = Engine(slot_s=2)
RICH = replace(FAST, bid=1e9, spread=0.0)
LIMITS = Limits(
    low=10**6, high=10**8, safe=10**7, max_step=10**7, cool_down_s=4, expiry_s=100, veto_s=100,
    base=10**6, slope=2 * UNIT,
)  # fmt: skip


def test_with_room_for_all_everybody_waits_for_the_next_block_only() -> None:
    served = run([10] * 60, RICH, lambda _: PLENTY)
    assert (served.arrived, served.included, served.in_vain) == (600, 600, 0)
    assert served.waited_s == 600 * 3 // 2  # half come two seconds before their block, half one


def test_what_does_not_fit_waits_and_what_waits_too_long_is_lost() -> None:
    tight = replace(RICH, first_limit=21_000 * 5, patience_s=10)
    served = run([10] * 60, tight, lambda _: 21_000 * 5)
    assert served.included == 5 * 30
    assert served.included + served.in_vain == served.arrived
    assert all(block.waiting <= 5 * 10 * 10 for block in served.blocks)


def test_an_engine_that_moves_slowly_moves_by_less_than_its_part() -> None:
    slow = replace(RICH, moves=1_024)
    blocks = run([1] * 40, slow, lambda _: PLENTY).blocks
    for before, after in itertools.pairwise(blocks):
        assert after.gas_limit - before.gas_limit == before.gas_limit // 1_024 - 1


def test_the_cost_is_waiting_and_space() -> None:
    served = run([10] * 60, RICH, lambda _: RICH.first_limit)
    space = 30 * RICH.first_limit / (600 * 21_000)
    assert served.cost_s(RICH, 2.0) == pytest.approx(1.5 + 2.0 * space)


@given(
    st.lists(st.integers(0, 60), min_size=20, max_size=60),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5),
)
@settings(max_examples=20, deadline=None)
def test_whatever_is_forecast_the_limits_hold(arrivals: list[int], scores: list[int]) -> None:
    follower, told = Follower(LIMITS), []

    def control(block: Mined) -> int:
        told.append(follower.follow(scores[block.number % len(scores)], block.time_s))
        return told[-1]

    run(arrivals, FAST, control)
    assert all(LIMITS.low <= limit <= LIMITS.high for limit in told)
    steps = zip([LIMITS.safe, *told], told, strict=False)
    assert all(abs(after - before) <= LIMITS.max_step for before, after in steps)


def test_a_forecast_follows_a_busier_chain_than_it_has_seen() -> None:
    histories = [run([rate] * 300, FAST, lambda _: PLENTY).blocks for rate in (3, 20)]
    model = learn(histories, FAST.gas_each).model
    controller = Controller(model, LIMITS, FAST.gas_each)
    for block in run([100] * 200, FAST, lambda _: PLENTY).blocks:
        limit = controller(block)
    wanted = LIMITS.base + 2 * 100 * FAST.slot_s * FAST.gas_each
    assert limit == pytest.approx(wanted, rel=0.15)


def test_a_trial_tells_costs_by_seed_and_who_is_better() -> None:
    calm_then_busy = [2] * 150 + [60] * 150
    trial = try_capacity([calm_then_busy], [calm_then_busy], FAST, 2.0, seeds=(1, 2))
    assert len(trial.forecast.costs) == 2
    assert trial.hindsight.mean <= trial.fixed.mean + 1e-9
    mean, least, most = trial.gain(trial.hindsight)
    assert least <= mean <= most
    assert mean == pytest.approx(
        sum(1 - a / b for a, b in zip(trial.forecast.costs, trial.hindsight.costs, strict=True)) / 2
    )
