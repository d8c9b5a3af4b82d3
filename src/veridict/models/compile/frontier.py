"""What a source does to a float64 before its trees compare it, and what that does to thresholds.

Scaling and casting to float32 keep the order of values but round them, so a threshold is not
moved by arithmetic: the last float64 that still lies at or below it is searched for, with the
source's own operations. Every float64 then goes the way it goes in the source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.models.image import image

_SIGN = np.uint64(1 << 63)
_ALL = np.uint64(2**64 - 1)
_ONE = np.uint64(1)
_LOWEST, _HIGHEST = (image(np.array([end]))[0] for end in (-np.inf, np.inf))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lens:
    """How the source sees a raw feature: `steps` of monotone arithmetic, then the cast.

    A step is (ufunc, one number a feature). `fill` replaces missing values, before
    the steps; NaN leaves them missing.
    """

    steps: tuple[tuple[Callable[..., Any], Floats], ...] = ()
    fill: Floats | None = None

    def see(self, features: NDArray[np.intp], values: Floats, to_float32: bool) -> Floats:
        """`values` of `features` as the source compares them."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for operation, numbers in self.steps:
                values = operation(values, numbers[features])
            return values.astype(np.float32).astype(np.float64) if to_float32 else values

    def filled(self, feature: int, to_float32: bool) -> float:
        """What the source sees where `feature` is missing; NaN where that stays missing."""
        if self.fill is None:
            return float("nan")
        at = np.array([feature])
        return float(self.see(at, self.fill[at], to_float32)[0])

    def images(
        self, features: NDArray[np.intp], cuts: Floats, to_float32: bool
    ) -> NDArray[np.uint64]:
        """The largest image, for each cut, that is seen at or below the cut.

        One below the image of -inf where there is none. All arrays are [n].
        """
        if not self.steps and not to_float32:
            return image(cuts)
        low = np.full(len(cuts), _LOWEST - _ONE)
        high = np.full(len(cuts), _HIGHEST)
        while (low < high).any():
            middle = high - (high - low) // np.uint64(2)
            below = self.see(features, _floats(middle), to_float32) <= cuts
            low, high = np.where(below, middle, low), np.where(below, high, middle - _ONE)
        return low


def _floats(images: NDArray[np.uint64]) -> Floats:
    """The floats of images within the floats' range."""
    return (images ^ np.where(images & _SIGN, _SIGN, _ALL)).view(np.float64)
