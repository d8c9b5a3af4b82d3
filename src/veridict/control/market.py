"""A pool beside a larger market: who trades with it, what its providers earn, what they lose.

Every minute, in this order, with the pool's own integer arithmetic:

    takers     a share of what was really traded that minute, bought or sold at random; each takes
               from the pool what it sells below the market's price plus the market's own fee, and
               goes elsewhere for the rest. A pool that is dear has no takers.
    arbitrage  whoever sees the market's price trades until the pool's, after its fee, is there;
               without fees or delay of their own, the worst that can happen to the providers

What providers gain is told apart: from takers, and what arbitrage takes (loss versus rebalancing:
Milionis, Moallemi, Roughgarden, Zhang 2022). Values are quote tokens, at the market's price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from veridict.control.bars import MICRO, MINUTE_S, Bars
from veridict.control.pool import MILLION, Pool

DAY_S = 86_400
BASE_UNIT = 10**8  # token units of one of the base currency (x); the quote (y) has 10^6


@dataclass(frozen=True, slots=True)
class Setting:
    """`depth`: quote value of one side of the pool at the start of each stretch of bars."""

    depth: float = 200_000.0
    share: float = 0.05  # of the market's volume that asks the pool first
    market_fee: int = 2_500  # millionths that takers pay elsewhere
    seed: int = 1


@dataclass(slots=True)
class Earned:
    """By day since 1970: quote tokens gained from takers, and lost to arbitrage, per day."""

    takers: dict[int, float] = field(default_factory=dict)
    arbitrage: dict[int, float] = field(default_factory=dict)
    volume: float = 0.0
    trades: int = 0

    def net(self, day: int) -> float:
        return self.takers.get(day, 0.0) - self.arbitrage.get(day, 0.0)

    @property
    def days(self) -> list[int]:
        return sorted(self.takers.keys() | self.arbitrage.keys())

    def total(self) -> float:
        return sum(self.net(day) for day in self.days)


Fee = Callable[[int], int]  # millionths, in the minute that ends with bar i


def trade(bars: Bars, start: int, stop: int, fee: Fee, setting: Setting | None = None) -> Earned:
    """Bars start .. stop - 1, the pool at the market's price at first and after each hole.

    `fee(i)` may know bars before i alone. Every fee meets the same takers.
    """
    chosen = setting or Setting()
    earned, chance = Earned(), Random(chosen.seed)
    prices, volumes = bars.price[start:stop].tolist(), bars.volume[start:stop].tolist()
    times, fresh = bars.time_s[start:stop].tolist(), bars.fresh[start:stop].tolist()
    pool = _at(prices[0], chosen.depth)
    for offset, price in enumerate(prices):
        buys = chance.random() < 0.5
        if fresh[offset]:
            pool = _at(price, chosen.depth)
            continue
        day, now = (times[offset] + MINUTE_S) // DAY_S, fee(start + offset)
        wanted = int(chosen.share * volumes[offset] * BASE_UNIT)
        # Takers of this minute do not know its close: they see the price before it.
        pool, gained, paid = _taken(pool, prices[max(offset - 1, 0)], wanted, buys, now, chosen)
        if paid:
            earned.takers[day] = earned.takers.get(day, 0.0) + gained
            earned.volume += paid
            earned.trades += 1
        pool, lost = _arbitraged(pool, price, now)
        earned.arbitrage[day] = earned.arbitrage.get(day, 0.0) + lost
    return earned


def _at(price: int, depth: float) -> Pool:
    y = int(depth * MICRO)
    return Pool(y * BASE_UNIT // price, y)


def _taken(
    pool: Pool, price: int, wanted: int, buys: bool, fee: int, setting: Setting
) -> tuple[Pool, float, float]:
    """Up to `wanted` of x, no worse than elsewhere: the pool after it, its gain, what was paid."""
    elsewhere = MILLION + (setting.market_fee if buys else -setting.market_fee)
    pays_x, most = pool.arbitrage(price * elsewhere, BASE_UNIT * MILLION, fee)
    if not most or pays_x == buys or not wanted:
        return pool, 0.0, 0.0
    paid = min(wanted if pays_x else wanted * price // BASE_UNIT, most)
    after, out = pool.traded(pays_x, paid, fee)
    worth_in, worth_out = (paid * price / BASE_UNIT, float(out)) if pays_x else (
        float(paid), out * price / BASE_UNIT
    )  # fmt: skip
    return after, (worth_in - worth_out) / MICRO, worth_in / MICRO


def _arbitraged(pool: Pool, price: int, fee: int) -> tuple[Pool, float]:
    pays_x, paid = pool.arbitrage(price, BASE_UNIT, fee)
    if not paid:
        return pool, 0.0
    after, _ = pool.traded(pays_x, paid, fee)
    before_value = pool.x * price / BASE_UNIT + pool.y
    return after, (before_value - (after.x * price / BASE_UNIT + after.y)) / MICRO
