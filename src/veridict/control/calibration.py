"""Intervals that keep their promise, and forecasts that give way: both by looking back.

Every forecast is compared with what came, `horizon` blocks later, in two ways:

    width    each side of the interval is stretched after a miss and narrowed after a hit, by
             steps that cancel out at the promised rate (quantile tracking, as in adaptive
             conformal prediction: Gibbs and Candès 2021; Angelopoulos, Candès, Tibshirani 2023)
    drift    where the model's own error over the last blocks is above the formula's, the
             formula answers until the model is better again, by a margin
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import expm1

from veridict.control.horizons import HIGH, LEVELS, LOW, POINT

STEP = 0.0005  # at the least; larger at first (HASTE), so that a bad start is soon mended
HASTE, HASTE_BLOCKS = 5.0, 200
NARROWEST, WIDEST = 0.2, 20.0
MEMORY_BLOCKS = 3_000  # over which errors are averaged
JUDGED_AFTER = 600  # comparisons before the first judgement
WORSE, BETTER = 1.0, 0.97  # own error over the formula's: fall back above, return below

Quantiles = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """The model of `horizon` fell back to the formula at `block`, or returned."""

    horizon: int
    block: int
    fallen_back: bool
    model_error: float
    formula_error: float

    def sentence(self) -> str:
        what = "the formula answers from now on" if self.fallen_back else "the model answers again"
        return (
            f"{self.horizon} blocks ahead: {what} (block {self.block}; mean error of the model "
            f"{self.model_error:.2%}, of the formula {self.formula_error:.2%})"
        )


@dataclass(slots=True)
class Calibration:
    """Of one horizon. Log ratios to the formula's fee throughout."""

    horizon: int
    usual: Quantiles
    stretch: dict[bool, list[float]] = field(default_factory=dict)
    model_error: float = 0.0
    formula_error: float = 0.0
    compared: int = 0
    fallen_back: bool = False
    shares: list[float] = field(default_factory=lambda: list(LEVELS))
    _waiting: deque[tuple[int, float, Quantiles]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.stretch = {True: [1.0, 1.0], False: [1.0, 1.0]}

    def calibrated(self, raw: Quantiles, *, trusted: bool = True) -> Quantiles:
        """What to say where the model says `raw`: stretched, or the formula's usual errors."""
        by_model = trusted and not self.fallen_back
        low, point, high = raw if by_model else (self.usual[LOW], 0.0, self.usual[HIGH])
        below, above = self.stretch[by_model]
        return (
            point - below * max(point - low, 0.0),
            point,
            point + above * max(high - point, 0.0),
        )

    def said(self, block: int, log_formula: float, raw: Quantiles) -> None:
        """Keep for comparison: at `block` the model said `raw` of a fee `horizon` blocks on."""
        self._waiting.append((block + self.horizon, log_formula, raw))

    def came(self, block: int, log_fee: float) -> Change | None:
        """Compare with the fee of `block`. Returns what changed, if anything did."""
        while self._waiting and self._waiting[0][0] < block:
            self._waiting.popleft()
        if not self._waiting or self._waiting[0][0] != block:
            return None
        _, log_formula, raw = self._waiting.popleft()
        actual = log_fee - log_formula
        self._share(raw, actual)
        self._stretch(True, raw, actual)
        self._stretch(False, (self.usual[LOW], 0.0, self.usual[HIGH]), actual)
        return self._judge(block, abs(expm1(raw[POINT] - actual)), abs(expm1(-actual)))

    def undo(self, block: int) -> None:
        """Forget what was said at `block` and later: a reorganisation took them away."""
        while self._waiting and self._waiting[-1][0] - self.horizon >= block:
            self._waiting.pop()

    def _share(self, raw: Quantiles, actual: float) -> None:
        """How often, lately, the fee was at most each quantile that was said."""
        rate = max(1.0 / MEMORY_BLOCKS, 1.0 / (self.compared + 1))
        for level, said in enumerate(self.calibrated(raw)):
            self.shares[level] += rate * (float(actual <= said) - self.shares[level])

    @property
    def covered(self) -> float:
        """The share of fees inside the interval, lately."""
        return self.shares[HIGH] - self.shares[LOW]

    def _stretch(self, by_model: bool, raw: Quantiles, actual: float) -> None:
        low, point, high = raw
        sides = self.stretch[by_model]
        missed_below = actual < point - sides[0] * max(point - low, 0.0)
        missed_above = actual > point + sides[1] * max(high - point, 0.0)
        for side, missed, rate in (
            (0, missed_below, LEVELS[LOW]),
            (1, missed_above, 1.0 - LEVELS[HIGH]),
        ):
            size = max(STEP, HASTE / (self.compared + HASTE_BLOCKS))
            step = size * (1.0 - rate if missed else -rate)
            sides[side] = min(max(sides[side] + step * max(sides[side], 0.5), NARROWEST), WIDEST)

    def _judge(self, block: int, model: float, formula: float) -> Change | None:
        self.compared += 1
        rate = max(1.0 / MEMORY_BLOCKS, 1.0 / self.compared)
        self.model_error += rate * (model - self.model_error)
        self.formula_error += rate * (formula - self.formula_error)
        if self.compared < JUDGED_AFTER:
            return None
        limit = BETTER if self.fallen_back else WORSE
        fall_back = self.model_error > limit * self.formula_error
        if fall_back == self.fallen_back:
            return None
        self.fallen_back = fall_back
        return Change(self.horizon, block, fall_back, self.model_error, self.formula_error)
