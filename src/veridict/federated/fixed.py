"""Updates as integers: a sum is the same on every machine and in every order.

An update is what a party would add to the model's parameters. It is clipped to the
federation's L2 norm and written in units of clip / 2^BITS, so that the norm of the integers
is at most ONE = 2^BITS. This bound is what makes the arithmetic exact: the inner product of
two updates is at most 2^54 and a squared distance at most 2^56, whatever their length; both
fit an int64, and a sum of up to GROUP_MAX updates fits the 32 bits a number has on the wire.

Weights (how many examples stand behind an update) are integers up to WEIGHT_ONE. Divisions
truncate towards zero, so that no rounding lifts a norm above its bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

BITS = 27
ONE = 1 << BITS
WEIGHT_ONE = 1 << 16
GROUP_MAX = 15  # 15 · 2^27 < 2^31
LENGTH_MAX = 1 << 24
CLIP_BITS = 16
_CHUNK = 256  # of squares: 256 · 2^54 < 2^63


@dataclass(frozen=True, slots=True)
class Clip:
    """The largest L2 norm of an update, in units of 2^-16 of a parameter."""

    units: int

    def __post_init__(self) -> None:
        if not 0 < self.units < 1 << 24:
            raise BadInput(
                f"a clip of {self.units / (1 << CLIP_BITS)} is out of range",
                remedy="choose a norm above 0 and below 256",
            )

    @classmethod
    def of(cls, norm: float) -> Clip:
        """The nearest representable norm. Raises BadInput outside (0, 256) and for NaN."""
        if not 0.0 < norm < 256.0:
            raise BadInput(
                f"a clip of {norm} is out of range", remedy="choose a norm above 0 and below 256"
            )
        return cls(max(1, min(round(norm * (1 << CLIP_BITS)), (1 << 24) - 1)))

    @property
    def norm(self) -> float:
        return self.units / (1 << CLIP_BITS)


@dataclass(frozen=True, slots=True)
class Update:
    """A party's update times its weight / WEIGHT_ONE; `values` int64[d] of norm <= weight·2^11."""

    values: I64
    weight: int

    def __post_init__(self) -> None:
        check_length(len(self.values))
        if not 0 < self.weight <= WEIGHT_ONE:
            raise BadInput(
                f"weight {self.weight} is not between 1 and {WEIGHT_ONE}",
                remedy="scale the number of examples by the federation's largest",
            )
        if norm2(self.values) > (self.weight << (BITS - 16)) ** 2:
            raise BadInput(
                "the update's norm is above the federation's bound",
                remedy="encode it with `encode`, which clips",
                weight=self.weight,
            )


def encode(update: F64, clip: Clip, weight: int = WEIGHT_ONE) -> Update:
    """float64[d] → integers, scaled down to the clip where its norm is above.

    Raises BadInput for NaN, infinities, and a wrong shape or length.
    """
    values = np.asarray(update, dtype=np.float64)
    if values.ndim != 1:
        raise BadInput(f"an update of shape {values.shape}", remedy="flatten the parameters")
    check_length(len(values))
    if not np.isfinite(values).all():
        raise BadInput(
            "the update holds NaN or infinity",
            remedy="lower the learning rate, or look for missing values in the features",
        )
    largest = float(np.abs(values).max())
    if largest > 0.0:
        # Scaled by its largest element first: the square of a huge one would overflow.
        norm = largest * float(np.sqrt(np.square(values / largest).sum()))
        values = values * (ONE / max(norm, clip.norm))
    bound = (weight << (BITS - 16)) ** 2
    integers = np.trunc(values * (weight / WEIGHT_ONE)).astype(np.int64)
    while norm2(integers) > bound:  # float rounding: once at most
        integers -= np.sign(integers)
    return Update(integers, weight)


def mean(values: I64, weight: int) -> I64:
    """Σ update·weight over Σ weight: of one update or of a group's sum. Norm <= ONE again."""
    if weight <= 0:
        raise BadInput("nobody stands behind this sum", remedy="leave out groups without weight")
    return divide(values << 16, weight)


def divide(values: I64, by: int) -> I64:
    """Quotients truncated towards zero, as SDIV in the EVM."""
    quotient: I64 = np.sign(values) * (np.abs(values) // by)
    return quotient


def norm2(values: I64) -> int:
    """The exact squared norm, also of hostile values; 2^63 or more is told as 2^63."""
    if len(values) == 0:
        return 0
    # -2^63 has no absolute value in 64 bits
    if int(values.max()) > ONE or int(values.min()) < -ONE:
        return 1 << 63
    padded = np.zeros(-(-len(values) // _CHUNK) * _CHUNK, np.int64)
    padded[: len(values)] = values
    rows = padded.reshape(-1, _CHUNK)
    return sum((rows * rows).sum(axis=1).tolist())


def norm(values: I64) -> int:
    return isqrt(norm2(values))


def inner(a: I64, b: I64) -> int:
    """Exact while both norms are at most ONE: partial sums may wrap, the end does not."""
    return int(np.dot(a, b))


def check_length(length: int) -> None:
    if not 0 < length <= LENGTH_MAX:
        raise BadInput(
            f"an update of {length} parameters", remedy=f"train 1 to {LENGTH_MAX} parameters"
        )
