"""A pool whose fee follows predicted volatility, beside fixed fees. Needs VERIDICT_DATA.

BTC/USD minutes of 2015: the model learns from January to June, fees are chosen on July and
August, and tried on September to December.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.row import Row
from veridict.control import volatility
from veridict.control.bars import Bars, read_bars
from veridict.control.fee_trial import FeeTrial, try_fees
from veridict.control.market import Setting
from veridict.models.image import image

FILE = "trading/bitfinex_btcusd_1m_2015.csv.gz"
YEAR = 2015
MARKET_FEES = (1_000, 2_500, 5_000)  # millionths: what takers pay elsewhere
UNIT = "share of the pool's capital, a year"
DAYS = 365


def run() -> list[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if not root or not (Path(root) / FILE).exists():
        print(f"set VERIDICT_DATA to a folder that holds {FILE}; nothing is measured")
        return []
    bars = read_bars(Path(root) / FILE)
    learned, chosen, tried = (
        bars.between(_first(a), _first(b)) for a, b in ((1, 7), (7, 9), (9, 13))
    )
    past = Bars(
        bars.time_s[learned], bars.price[learned], bars.volume[learned], bars.fresh[learned]
    )
    model = volatility.learn(past).model
    scores = model.score(image(volatility.features(bars))).tolist()
    rows: list[Row] = []
    for fee in MARKET_FEES:
        print(f"  takers pay {fee} elsewhere", flush=True)
        setting = Setting(market_fee=fee)
        rows += _rows(fee, try_fees(bars, scores, chosen, tried, setting=setting), setting)
    return rows


def _rows(market_fee: int, trial: FeeTrial, setting: Setting) -> list[Row]:
    whole = 2 * setting.depth * len(trial.fixed.days) / DAYS
    name = f"pool.market_{market_fee}"
    best = f"fixed fee {trial.fixed_fee}, chosen as the line was"
    lost, fixed_lost = (
        sum(each.arbitrage.values()) / whole for each in (trial.followed, trial.fixed)
    )
    return [
        Row(f"{name}_net", trial.followed.total() / whole, UNIT, best, trial.fixed.total() / whole),
        Row(f"{name}_lost_to_arbitrage", lost, UNIT, best, fixed_lost),
        Row(f"{name}_beyond_fixed", trial.beyond_fixed / whole, UNIT),
        Row(f"{name}_beyond_fixed_low", trial.low / whole, f"{UNIT}, 10 % point"),
        Row(f"{name}_beyond_fixed_high", trial.high / whole, f"{UNIT}, 90 % point"),
        Row(
            f"{name}_hindsight_net", trial.hindsight.total() / whole,
            f"{UNIT}, fixed fee {trial.hindsight_fee}",
        ),
    ]  # fmt: skip


def _first(month: int) -> int:
    """The first second of a month; 13 is January of the next year."""
    when = datetime(YEAR + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
    return int(when.timestamp())
