"""Does a pool's fee that follows predicted volatility earn more than the best fixed one?

Everything is chosen on earlier bars than it is tried on: the fixed fee, and the line from
volatility to fee. Beside them stands the fixed fee that would have been best, known afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from veridict.control.bars import Bars
from veridict.control.market import Earned, Setting, trade
from veridict.control.parameter import Follower, Limits
from veridict.core.progress import Progress, Step, silent

FIXED = (500, 700, 900, 1_000, 1_100, 1_200, 1_400, 1_700, 2_000, 3_000, 5_000, 10_000)
BASES = (200, 500, 1_000, 1_500, 2_000, 9_000)  # millionths at no volatility
SLOPES = (20, 50, 100)  # millionths by basis point of predicted volatility
LIMITS = Limits(
    low=300, high=20_000, safe=3_000, max_step=2_000, cool_down_s=600, expiry_s=3_600,
    veto_s=86_400, base=0, slope=0,
)  # fmt: skip
DRAWS = 2_000
BLOCK_DAYS = 7  # days are alike their neighbours: whole weeks are drawn


@dataclass(frozen=True, slots=True)
class FeeTrial:
    """On the later bars: the chosen fixed fee, the best one in hindsight, and the followed one.

    `low`, `high`: an 80 % interval of what following earned beyond the chosen fixed fee.
    """

    fixed_fee: int
    fixed: Earned
    hindsight_fee: int
    hindsight: Earned
    limits: Limits
    followed: Earned
    low: float
    high: float

    @property
    def beyond_fixed(self) -> float:
        return self.followed.total() - self.fixed.total()


def try_fees(
    bars: Bars,
    scores: Sequence[int],
    chosen_on: slice,
    tried_on: slice,
    *,
    setting: Setting | None = None,
    progress: Progress = silent,
) -> FeeTrial:
    """`scores[i]`: the volatility predicted when bar i had ended, 2^-32 basis points."""
    lines = [replace(LIMITS, base=base, slope=slope) for base in BASES for slope in SLOPES]
    steps = len(FIXED) + len(lines) + len(FIXED) + 1
    done = iter(range(steps))

    def told(title: str) -> None:
        progress(Step(None, title, next(done), steps))

    def fixed(fee: int, over: slice) -> Earned:
        told(f"a fixed fee of {fee}")
        return trade(bars, over.start, over.stop, lambda _: fee, setting)

    def followed(limits: Limits, over: slice) -> Earned:
        told(f"a fee of {limits.base} + {limits.slope} a basis point")
        return follow(bars, scores, limits, over, setting)

    fee = max(FIXED, key=lambda each: fixed(each, chosen_on).total())
    limits = max(lines, key=lambda each: followed(each, chosen_on).total())
    later = {each: fixed(each, tried_on) for each in FIXED}
    best = max(FIXED, key=lambda each: later[each].total())
    result = followed(limits, tried_on)
    low, high = interval(_differences(result, later[fee]))
    return FeeTrial(fee, later[fee], best, later[best], limits, result, low, high)


def follow(
    bars: Bars,
    scores: Sequence[int],
    limits: Limits,
    over: slice,
    setting: Setting | None = None,
) -> Earned:
    """As the contract would have it: its steps, its cool-down, its expiry."""
    parameter, times = Follower(limits), bars.time_s

    def fee(bar: int) -> int:
        return parameter.follow(scores[bar - 1], int(times[bar])) if bar else limits.safe

    return trade(bars, over.start, over.stop, fee, setting)


def interval(differences: Sequence[float], *, seed: int = 1) -> tuple[float, float]:
    """The 10 % and 90 % points of the sum, drawn again by blocks of days (a block bootstrap)."""
    chance, count = Random(seed), len(differences)
    starts = max(count - BLOCK_DAYS + 1, 1)
    blocks = [sum(differences[at : at + BLOCK_DAYS]) for at in range(starts)]
    sums = sorted(
        sum(chance.choice(blocks) for _ in range(max(count // BLOCK_DAYS, 1))) for _ in range(DRAWS)
    )
    return sums[DRAWS // 10], sums[DRAWS - DRAWS // 10 - 1]


def _differences(one: Earned, other: Earned) -> list[float]:
    days: Iterable[int] = sorted({*one.days, *other.days})
    return [one.net(day) - other.net(day) for day in days]
