"""Scalers as exact lines, for models that multiply rather than compare.

A feature's chain of scalers is slope · x + intercept in rational numbers: nothing is lost by
folding it into weights. What the scalers saw in training tells where the feature's values lie,
which is what quantising needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Line:
    """What the model sees of one raw feature x: slope · x + intercept.

    `centre`, `spread`: where x lies, and one standard deviation (or half the range
    seen) of it; None where nothing is known. `missing`: what NaN counts as, if known.
    """

    slope: Fraction = Fraction(1)
    intercept: Fraction = Fraction(0)
    centre: float | None = None
    spread: float | None = None
    missing: float | None = None

    def then(self, slope: Fraction, intercept: Fraction) -> tuple[Fraction, Fraction]:
        return self.slope * slope, self.intercept * slope + intercept


def plain(n_features: int) -> Sequence[Line]:
    return [Line()] * n_features
