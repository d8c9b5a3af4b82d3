"""Bars, the volatility they tell, and a pool beside their market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.control import volatility
from veridict.control.bars import MICRO, MINUTE_S, Bars, filled, read_bars
from veridict.control.blocks import F64
from veridict.control.fee_trial import LIMITS, follow, interval, try_fees
from veridict.control.market import Setting, trade
from veridict.core.errors import BadInput, BadStream
from veridict.core.nouns import SCORE_ONE
from veridict.models.image import image

START_MS = 1_700_000_040_000  # a full minute


def walk(minutes: int, seed: int = 1, step_bp: float = 10.0) -> Bars:
    chance = np.random.default_rng(seed)
    close = 300.0 * np.exp(np.cumsum(chance.normal(0, step_bp / 1e4, minutes)))
    time_ms = START_MS + 60_000.0 * np.arange(minutes, dtype=np.float64)
    return filled(time_ms, close, chance.exponential(20.0, minutes))


def test_minutes_without_a_trade_carry_the_price_and_long_holes_part_the_file() -> None:
    minutes = np.array([0, 1, 4, 5_000, 5_001], dtype=np.float64)
    bars = filled(START_MS + 60_000 * minutes, np.array([1.0, 2, 3, 4, 5]), np.ones(5))
    assert ((bars.time_s - START_MS // 1000) // MINUTE_S).tolist() == [0, 1, 2, 3, 4, 5_000, 5_001]
    assert (bars.price // MICRO).tolist() == [1, 2, 2, 2, 3, 4, 5]
    assert bars.volume.tolist() == [1, 1, 0, 0, 1, 1, 1]
    assert np.flatnonzero(bars.fresh).tolist() == [0, 5]
    assert volatility.returns_bp(bars)[5] == 0


def test_rows_that_make_no_sense_are_dropped_and_counted() -> None:
    time_ms = START_MS + 60_000.0 * np.array([0, 1, 2, 3, 4, 4, np.nan])
    close = np.array([1.0, np.nan, -1, 2, 1e300, 3, 4])
    bars = filled(time_ms, close, np.array([1.0, 1, 1, -1, 1, 1, 1]))
    assert (bars.price // MICRO).tolist() == [1, 1, 1, 1, 3]
    assert bars.dropped == 5
    with pytest.raises(BadStream, match="no bar"):
        filled(time_ms[:0], close[:0], close[:0])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"1,2\n", b"a,b,c,d,e,f\n"])
def test_what_is_no_file_of_bars_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(content)
    with pytest.raises(BadStream):
        read_bars(path)


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(f"{START_MS},1,2,3,1,0.5\n{START_MS + 60_000},2,2.5,3,1,4\n")
    bars = read_bars(path)
    assert bars.price.tolist() == [2 * MICRO, 5 * MICRO // 2]
    assert bars.volume.tolist() == [0.5, 4]


def test_features_know_nothing_of_later_bars() -> None:
    bars = walk(3_000)
    for cut in (1, 700, 2_999):
        past = Bars(bars.time_s[:cut], bars.price[:cut], bars.volume[:cut], bars.fresh[:cut])
        assert np.array_equal(volatility.features(past), volatility.features(bars)[:cut])


def test_what_came_is_the_root_mean_square_of_the_minutes_after() -> None:
    bars = walk(200)
    moved, came = volatility.returns_bp(bars), volatility.came(bars, 30)
    assert came[100] == pytest.approx(np.sqrt((moved[101:131] ** 2).mean()))
    assert np.isfinite(came).tolist() == [True] * 170 + [False] * 30


def test_a_model_learns_clusters_and_too_few_bars_are_refused() -> None:
    calm, wild = walk(6_000, 1, 2.0), walk(6_000, 2, 30.0)
    close: F64 = np.concatenate([calm.price, wild.price]) / MICRO
    time_ms = START_MS + 60_000.0 * np.arange(len(close), dtype=np.float64)
    bars = filled(time_ms, close, np.ones(len(close)))
    scores = (
        volatility.learn(bars, every=1).model.score(image(volatility.features(bars))) / SCORE_ONE
    )
    assert scores[3_000] == pytest.approx(2.0, rel=0.2)
    assert scores[9_000] == pytest.approx(30.0, rel=0.2)
    with pytest.raises(BadInput, match="too few"):
        volatility.learn(walk(2_000))


@given(st.integers(0, 5), st.sampled_from([0, 300, 3_000, 50_000]), st.sampled_from([0, 2_500]))
@settings(max_examples=15, deadline=None)
def test_takers_pay_and_arbitrage_takes_at_any_fee(seed: int, fee: int, market_fee: int) -> None:
    bars = walk(400, seed)
    earned = trade(bars, 0, len(bars), lambda _: fee, Setting(market_fee=market_fee))
    assert all(lost >= -1e-5 for lost in earned.arbitrage.values())
    assert all(value >= 0 for value in [earned.volume, earned.trades])
    if fee == 50_000:  # dearer than the market: nobody comes
        assert earned.trades == 0


def test_a_pool_without_a_fee_only_loses() -> None:
    bars = walk(2_000)
    earned = trade(bars, 0, len(bars), lambda _: 0, Setting(share=0.0))
    # Each minute takes an eighth of the variance of the pool's value (Milionis et al. 2022).
    variance = float((volatility.returns_bp(bars)[1:] ** 2).sum()) / 1e8
    assert -earned.total() == pytest.approx(2 * 200_000 * variance / 8, rel=0.1)


def test_following_a_constant_prediction_is_a_fixed_fee_after_the_first_steps() -> None:
    bars = walk(600)
    limits = replace(LIMITS, base=3_000, slope=0)
    whole = slice(0, len(bars))
    fixed = trade(bars, 0, len(bars), lambda _: 3_000)
    assert follow(bars, [0] * len(bars), limits, whole).total() == fixed.total()


def test_a_trial_chooses_on_the_earlier_bars_alone() -> None:
    bars = walk(900)
    scores = [10 * SCORE_ONE] * len(bars)
    found = try_fees(bars, scores, slice(0, 300), slice(300, 600))
    later = bars.price.copy()
    later[300:] *= 2
    other = Bars(bars.time_s, later, bars.volume, bars.fresh)
    again = try_fees(other, scores, slice(0, 300), slice(300, 600))
    assert (again.fixed_fee, again.limits) == (found.fixed_fee, found.limits)
    assert found.hindsight.total() >= found.fixed.total()
    assert found.low <= found.high


def test_the_interval_holds_the_sum_of_days_that_are_alike() -> None:
    low, high = interval([1.0] * 70)
    assert low == high == 70.0
