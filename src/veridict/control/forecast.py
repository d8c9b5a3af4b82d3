"""A forecast: what the fee, the load and the wait for inclusion will be, as a fan over blocks.

next block        the formula: exact
load              blocks whose mean use of gas would carry the fee where it is forecast
inclusion         the first block at which a fee cap is likely to be enough
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import erf, exp, log, sqrt

from veridict.control.base_fee import FeeRule
from veridict.control.horizons import HIGH, LEVELS, LOW, POINT

_WIDTH = 1.2815515655446004  # standard deviations from the median to the 90 % quantile


@dataclass(frozen=True, slots=True)
class Fan:
    """Fees of the block `horizon` after the head, in wei: the LEVELS quantiles.

    `by_model`: False where the formula stands in for the model.
    """

    horizon: int
    low_wei: int
    point_wei: int
    high_wei: int
    by_model: bool


@dataclass(frozen=True, slots=True)
class Load:
    """Mean gas used over target in the blocks up to `horizon`: 1.0 keeps the fee; LEVELS."""

    horizon: int
    low: float
    point: float
    high: float


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Blocks until a cap suffices with the given probability; None: not within the forecast."""

    cap_wei: int
    likely_blocks: int | None  # at least one in two
    sure_blocks: int | None  # at least nine in ten


@dataclass(frozen=True, slots=True)
class Forecast:
    """Made when block `number` had closed. `next_fee_wei` is exact."""

    number: int
    time_s: int
    next_fee_wei: int
    fans: tuple[Fan, ...]
    trusted: bool
    rule: FeeRule

    def loads(self) -> tuple[Load, ...]:
        """What the blocks must use for the fee to go where it is forecast to go."""
        return tuple(
            Load(fan.horizon, *(self._load(fee, fan.horizon) for fee in _quantiles(fan)))
            for fan in self.fans
            if fan.horizon > 1
        )

    def chance(self, horizon: int, cap_wei: int) -> float:
        """That `cap_wei` covers the fee `horizon` blocks on; between fans by interpolation."""
        low, point, high = self._log_quantiles(horizon)
        side = point - low if log(cap_wei) < point else high - point
        if side <= 0.0:
            return 1.0 if log(cap_wei) >= point else 0.0
        return 0.5 * (1.0 + erf((log(cap_wei) - point) / side * _WIDTH / sqrt(2.0)))

    def inclusion(self, cap_wei: int) -> Inclusion:
        """When a transaction that pays at most `cap_wei` a gas is likely to be taken."""
        last = max((fan.horizon for fan in self.fans), default=1)
        first: list[int | None] = []
        for needed in (0.5, LEVELS[HIGH]):
            chances = (h for h in range(1, last + 1) if cap_wei > 0)
            first.append(next((h for h in chances if self.chance(h, cap_wei) >= needed), None))
        return Inclusion(cap_wei, *first)

    def _load(self, fee_wei: int, horizon: int) -> float:
        """The steady use, over target, that moves the next block's fee to `fee_wei` in time."""
        steps = horizon - 1
        change = exp(log(max(fee_wei, 1) / max(self.next_fee_wei, 1)) / steps) - 1.0
        return min(max(1.0 + change * self.rule.denominator, 0.0), float(self.rule.elasticity))

    def _log_quantiles(self, horizon: int) -> tuple[float, float, float]:
        exact = log(max(self.next_fee_wei, 1))
        points = [(1, (exact, exact, exact))]
        points += [(f.horizon, _logs(f)) for f in self.fans if f.horizon > 1]
        at = min(bisect_left([h for h, _ in points], horizon), len(points) - 1)
        if points[at][0] == horizon or at == 0:
            return points[at][1]
        (before, low), (after, high) = points[at - 1], points[at]
        # The spread of a sum of moves grows with the square root of their number.
        share = (sqrt(horizon) - sqrt(before)) / (sqrt(after) - sqrt(before))
        mixed = [a + min(share, 1.0) * (b - a) for a, b in zip(low, high, strict=True)]
        return mixed[LOW], mixed[POINT], mixed[HIGH]


def _quantiles(fan: Fan) -> tuple[int, int, int]:
    return fan.low_wei, fan.point_wei, fan.high_wei


def _logs(fan: Fan) -> tuple[float, float, float]:
    low, point, high = (log(max(fee, 1)) for fee in _quantiles(fan))
    return low, point, high
