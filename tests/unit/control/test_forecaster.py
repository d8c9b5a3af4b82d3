"""The forecaster on real blocks: exact, honest about doubt, and the same after a reorganisation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.network import PAST, mainnet, small_models
from veridict.control.blocks import Block
from veridict.control.forecast import Forecast
from veridict.control.forecaster import Forecaster
from veridict.core.errors import NotFound

GWEI = 10**9


def _warm(until: int = PAST) -> Forecaster:
    forecaster = Forecaster(small_models())
    forecaster.warm_up(mainnet().slice(until - 2_000, until))
    return forecaster


def _blocks(start: int, stop: int) -> list[Block]:
    return list(mainnet().slice(start, stop).blocks())


def _forecast() -> Forecast:
    forecaster = _warm()
    forecaster.see(_blocks(PAST, PAST + 40))
    return forecaster.forecast()


def test_the_next_fee_is_exact() -> None:
    """Also of the blocks whose fee the public record tells otherwise by some wei."""
    forecaster, wrong = _warm(), 0
    for block, after in zip(_blocks(PAST, PAST + 60), _blocks(PAST + 1, PAST + 61), strict=True):
        forecaster.see([block])
        wrong += forecaster.forecast().next_fee_wei != after.base_fee_wei
    assert wrong <= 1


def test_a_fan_is_in_order_and_opens() -> None:
    forecast = _forecast()
    assert [fan.horizon for fan in forecast.fans] == [5, 25]
    for fan in forecast.fans:
        assert 0 < fan.low_wei <= fan.point_wei <= fan.high_wei
        assert fan.by_model
    near, far = forecast.fans
    assert far.high_wei - far.low_wei > near.high_wei - near.low_wei


def test_loads_carry_the_fee_where_it_is_forecast() -> None:
    forecast = _forecast()
    for fan, load in zip(forecast.fans, forecast.loads(), strict=True):
        assert 0 <= load.low <= load.point <= load.high <= 2
        fee = float(forecast.next_fee_wei)
        for _ in range(fan.horizon - 1):
            fee *= 1 + (load.point - 1) / 8
        assert fee == pytest.approx(fan.point_wei, rel=1e-6)


def test_a_higher_cap_is_enough_no_later() -> None:
    forecast = _forecast()
    caps = [forecast.next_fee_wei * percent // 100 for percent in range(50, 151, 5)]
    waits = [forecast.inclusion(cap) for cap in caps]
    likely = [wait.likely_blocks or 10**6 for wait in waits]
    assert likely == sorted(likely, reverse=True)
    assert likely[-1] == 1
    assert likely[0] == 10**6
    assert all((w.sure_blocks or 10**6) >= (w.likely_blocks or 10**6) for w in waits)
    assert forecast.inclusion(0).likely_blocks is None


def test_a_reorganisation_leaves_no_trace() -> None:
    straight, turned = _warm(), _warm()
    straight.see(_blocks(PAST, PAST + 120))
    turned.see(_blocks(PAST, PAST + 90))
    wrong = [
        replace(b, gas_used=30_000_000, hash="0xother") for b in _blocks(PAST + 90, PAST + 100)
    ]
    turned.see(wrong)
    found = turned.see(_blocks(PAST + 90, PAST + 120))
    assert [finding.code for finding in found if finding.code.startswith("chain")] == [
        "chain.reorg"
    ]
    assert straight.row is not None
    assert turned.row is not None
    np.testing.assert_array_equal(turned.row, straight.row)
    assert turned.forecast().next_fee_wei == straight.forecast().next_fee_wei


def test_after_a_gap_the_formula_answers_for_a_while() -> None:
    forecaster = _warm()
    forecaster.see(_blocks(PAST + 10, PAST + 12))
    forecast = forecaster.forecast()
    assert not forecast.trusted
    assert not any(fan.by_model for fan in forecast.fans)
    forecaster.see(_blocks(PAST + 12, PAST + 60))
    assert forecaster.forecast().trusted


def test_a_lying_source_is_not_believed() -> None:
    forecaster = _warm()
    lies = [replace(b, base_fee_wei=b.base_fee_wei * 3) for b in _blocks(PAST, PAST + 5)]
    found = {finding.code for finding in forecaster.see(lies)}
    assert found == {"fee.off-formula", "fee.alarm"}
    assert not any(fan.by_model for fan in forecaster.forecast().fans)


def test_nothing_is_said_before_the_first_block() -> None:
    with pytest.raises(NotFound):
        Forecaster(small_models()).forecast()
