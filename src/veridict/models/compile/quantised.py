"""Linear models and small networks in integers, with a bound on what rounding costs.

Inputs become integers by a step of 2^-shift around a centre, up to a limit; weights become
integers in units chosen so that no sum can overflow. The bound is worked out in rational
numbers from the integers themselves. It holds where every feature lies within its range
(`Compiled.ranges`); beyond it a feature is clamped. Without rows of the user's, ranges are wide
and a hidden neuron may give all that its weights allow; with them (`calibration`) both are what
rows show and some more, and the bound is many times tighter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from veridict.core.nouns import SCORE_BITS
from veridict.models.compile.affine import Line
from veridict.models.compile.calibration import Calibration, Matrix
from veridict.models.layout import LinearModel, MlpModel, Quantiser

Range = tuple[float, float]

_SUM_BITS = 62  # of a linear model's sum
LINEAR_SPREADS = 256  # a range reaches this many spreads from its centre
LINEAR_PART = 1024  # what a feature of unknown spread may add to a score, at most


@dataclass(frozen=True, slots=True)
class Rounded:
    """A quantised model; `error` in units of 2^-SCORE_BITS, for rows within `ranges`."""

    model: LinearModel | MlpModel
    error: float
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A quantiser and the middle and reach of its range, in raw feature values."""

    quantiser: Quantiser
    middle: Fraction
    reach: Fraction

    @property
    def step(self) -> Fraction:
        return Fraction(1, 2) ** self.quantiser.shift

    @property
    def range(self) -> Range:
        if not self.quantiser.limit:
            return -math.inf, math.inf
        return float(self.middle - self.reach), float(self.middle + self.reach)


UNUSED = Input(Quantiser(0, 0, 0, 0), Fraction(0), Fraction(0))


def linear(
    lines: Sequence[Line], weights: Matrix, intercepts: Sequence[Fraction], rows: Any = None
) -> Rounded:
    """score k = intercepts[k] + the sum over f of weights[f][k] · (what the model sees of f)."""
    seen = None if rows is None else Calibration.of(lines, rows)
    lines = seen.lines if seen else lines
    raw = [[w * line.slope for w in row] for line, row in zip(lines, weights, strict=True)]
    heaviest = [max(map(abs, row)) for row in raw]
    reaches: Sequence[Fraction] = [
        Fraction(line.spread) * LINEAR_SPREADS
        if line.spread
        else Fraction(LINEAR_PART) / (weight or 1)
        for line, weight in zip(lines, heaviest, strict=True)
    ]
    reaches = seen.reaches if seen else reaches
    total = sum((w * r for w, r in zip(heaviest, reaches, strict=True)), Fraction(1))
    shift = max(0, min(31, _SUM_BITS - SCORE_BITS - 1 - least_bits(total)))
    unit = Fraction(1, 2 ** (SCORE_BITS + shift))  # of the sum
    inputs = [
        # Rounding the input then costs about as much as rounding the weight.
        input_of(line, reach, round((math.log2(weight / reach / unit)) / 2)) if weight else UNUSED
        for line, reach, weight in zip(lines, reaches, heaviest, strict=True)
    ]
    whole = [
        [round(w * each.step / unit) for w in row] for each, row in zip(inputs, raw, strict=True)
    ]
    bases, errors = [], []
    for k, intercept in enumerate(intercepts):
        base = intercept
        error = Fraction(1)  # rounding the sum and the base: half a unit of score each
        for line, each, row, exact, own in zip(lines, inputs, raw, weights, whole, strict=True):
            base += exact[k] * line.intercept + row[k] * each.quantiser.offset * each.step
            slack = abs(row[k]) * each.step / 2
            slack += each.quantiser.limit * abs(row[k] * each.step - own[k] * unit)
            error += slack * 2**SCORE_BITS
        bases.append(_fixed(base))
        errors.append(error)
    model = LinearModel(
        tuple(each.quantiser for each in inputs), tuple(bases), tuple(map(tuple, whole)), shift
    )
    return Rounded(model, up(max(errors)), tuple(each.range for each in inputs))


def input_of(line: Line, reach: Fraction, shift: int) -> Input:
    shift = max(-128, min(127, shift))
    step = Fraction(1, 2) ** shift
    offset = round(Fraction(line.centre or 0) / step)
    limit = max(1, math.floor(reach / step))
    missing = 0
    if line.missing is not None:
        missing = max(-limit, min(limit, round(Fraction(line.missing) / step) - offset))
    elif line.centre is None:
        missing = max(-limit, min(limit, -offset))
    return Input(Quantiser(shift, offset, limit, missing), offset * step, limit * step)


def least_bits(value: Fraction) -> int:
    """The least n with value < 2^n, at least."""
    return -floor_bits(1 / value) + 1


def floor_bits(value: Fraction) -> int:
    """The largest n with 2^n <= value."""
    n = value.numerator.bit_length() - value.denominator.bit_length()
    return n if Fraction(2) ** n <= value else n - 1


def _fixed(value: Fraction) -> int:
    scaled: Fraction = value * 2**SCORE_BITS
    return round(scaled)


def up(value: Fraction) -> float:
    return math.nextafter(float(value), math.inf)
