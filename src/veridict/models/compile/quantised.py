"""Linear models and small networks in integers, with a bound on what rounding costs.

Inputs become integers by a step of 2^-shift around a centre, up to a limit; weights become
integers in units chosen so that no sum can overflow. The bound is worked out in rational
numbers from the integers themselves. It holds where every feature lies within its range
(`Compiled.ranges`); beyond it a feature is clamped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from veridict.core.errors import UnsupportedModel
from veridict.core.nouns import SCORE_BITS
from veridict.models.compile.affine import Line
from veridict.models.layout import LANE_BIAS, Layer, LinearModel, MlpModel, Quantiser

Matrix = Sequence[Sequence[Fraction]]  # [input][output]
Range = tuple[float, float]

_HALF = Fraction(1, 2)
_SUM_BITS = 62  # of a linear model's sum
LINEAR_SPREADS = 256  # a range reaches this many spreads from its centre
MLP_SPREADS = 16
LINEAR_PART = 1024  # what a feature of unknown spread may add to a score, at most


@dataclass(frozen=True, slots=True)
class Rounded:
    """A quantised model; `error` in units of 2^-SCORE_BITS, for rows within `ranges`."""

    model: LinearModel | MlpModel
    error: float
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class _Input:
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


_UNUSED = _Input(Quantiser(0, 0, 0, 0), Fraction(0), Fraction(0))


def linear(lines: Sequence[Line], weights: Matrix, intercepts: Sequence[Fraction]) -> Rounded:
    """score k = intercepts[k] + the sum over f of weights[f][k] · (what the model sees of f)."""
    raw = [[w * line.slope for w in row] for line, row in zip(lines, weights, strict=True)]
    heaviest = [max(map(abs, row)) for row in raw]
    reaches = [
        Fraction(line.spread) * LINEAR_SPREADS
        if line.spread
        else Fraction(LINEAR_PART) / (weight or 1)
        for line, weight in zip(lines, heaviest, strict=True)
    ]
    total = sum((w * r for w, r in zip(heaviest, reaches, strict=True)), Fraction(1))
    shift = max(0, min(31, _SUM_BITS - SCORE_BITS - 1 - _bits(total)))
    unit = Fraction(1, 2 ** (SCORE_BITS + shift))  # of the sum
    inputs = [
        # Rounding the input then costs about as much as rounding the weight.
        _input(line, reach, round((math.log2(weight / reach / unit)) / 2)) if weight else _UNUSED
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
    return Rounded(model, _up(max(errors)), tuple(each.range for each in inputs))


def mlp(
    lines: Sequence[Line], layers: Sequence[tuple[Matrix, Sequence[Fraction]]], name: str
) -> Rounded:
    """A network of ReLU layers, each (weights, biases), over what it sees of the features.

    Raises UnsupportedModel where the range of a feature is not known, naming the model `name`.
    """
    if any(line.spread is None for line in lines):
        raise UnsupportedModel(
            f"this {name} cannot be compiled: the range of its inputs is not known",
            remedy="train it in a Pipeline behind a StandardScaler or MinMaxScaler",
        )
    (weights, biases), *rest = layers
    raw = [[w * line.slope for w in row] for line, row in zip(lines, weights, strict=True)]
    shifted = [
        bias
        + sum(
            (row[j] * li.intercept for row, li in zip(weights, lines, strict=True)), _HALF - _HALF
        )
        for j, bias in enumerate(biases)
    ]
    bits = _activation_bits(len(lines))
    inputs = []
    for line, row in zip(lines, raw, strict=True):
        reach = Fraction(line.spread or 0) * MLP_SPREADS
        used = any(row) and reach
        inputs.append(_input(line, reach, bits - _bits(reach)) if used else _UNUSED)
    for each, row in zip(inputs, raw, strict=True):
        middle = each.quantiser.offset * each.step
        shifted = [s + w * middle for s, w in zip(shifted, row, strict=True)]
    stage = _Stage(
        [each.step for each in inputs],
        [each.quantiser.limit for each in inputs],
        [each.step / 2 for each in inputs],
    )
    made: list[Layer] = []
    for number, (matrix, offsets) in enumerate([(raw, shifted), *rest]):
        layer, stage = stage.through(matrix, offsets, is_last=number == len(rest))
        made.append(layer)
    model = MlpModel(
        tuple(each.quantiser for each in inputs), (0,) * made[-1].n_neurons, tuple(made)
    )
    error = max(stage.errors) * 2**SCORE_BITS
    return Rounded(model, _up(error), tuple(each.range for each in inputs))


@dataclass(frozen=True, slots=True)
class _Stage:
    """What goes into a layer: value = integer · step, off by at most `errors`, within `limits`."""

    steps: Sequence[Fraction]
    limits: Sequence[int]
    errors: Sequence[Fraction]

    def through(
        self, weights: Matrix, biases: Sequence[Fraction], *, is_last: bool
    ) -> tuple[Layer, _Stage]:
        """The layer in integers as fine as 32 bits allow, and what comes out of it."""
        scaled = [[w * step for w in row] for step, row in zip(self.steps, weights, strict=True)]
        most = max(
            abs(bias) + sum(abs(row[j]) * li for row, li in zip(scaled, self.limits, strict=True))
            for j, bias in enumerate(biases)
        )
        # Rounding adds at most half a unit for each unit of input, and for the bias.
        # A sixteenth of the range is left for what makes the next shift round.
        room = Fraction(LANE_BIAS - LANE_BIAS // 16) - Fraction(sum(self.limits) + 1, 2)
        places = _floor_bits(room / (most or 1))
        if places < 1:
            raise UnsupportedModel(
                "its sums do not fit 32 bits", remedy="train a smaller network, or scale its inputs"
            )
        if is_last:
            places = min(places, SCORE_BITS)
        unit = Fraction(1, 2**places) if places >= 0 else Fraction(2**-places)
        whole = [[round(w / unit) for w in row] for row in scaled]
        whole_biases = [round(bias / unit) for bias in biases]
        errors, sums = [], []
        for j, bias in enumerate(biases):
            error = abs(bias - whole_biases[j] * unit)
            reach = abs(whole_biases[j])
            for i, row in enumerate(weights):
                error += abs(row[j]) * self.errors[i]
                error += self.limits[i] * abs(scaled[i][j] - whole[i][j] * unit)
                reach += self.limits[i] * abs(whole[i][j])
            errors.append(error)
            sums.append(reach)
        rows = tuple(map(tuple, whole))
        if is_last:
            shift = SCORE_BITS - places
            return Layer(tuple(whole_biases), rows, shift, 0), _Stage([], [], errors)
        shift = max(0, max(sums).bit_length() - _activation_bits(len(biases)))
        limit = max(1, max(sums) >> shift)
        step = unit * 2**shift
        half = (1 << shift) >> 1  # added to the biases, it makes cutting off rounding
        whole_biases = [bias + half for bias in whole_biases]
        sums = [reach + half for reach in sums]
        after = [error + step / 2 for error in errors]
        limits = [min(reach >> shift, limit) for reach in sums]
        return Layer(tuple(whole_biases), rows, shift, limit), _Stage(
            [step] * len(biases), limits, after
        )


def _input(line: Line, reach: Fraction, shift: int) -> _Input:
    shift = max(-128, min(127, shift))
    step = Fraction(1, 2) ** shift
    offset = round(Fraction(line.centre or 0) / step)
    limit = max(1, math.floor(reach / step))
    missing = 0
    if line.missing is not None:
        missing = max(-limit, min(limit, round(Fraction(line.missing) / step) - offset))
    elif line.centre is None:
        missing = max(-limit, min(limit, -offset))
    return _Input(Quantiser(shift, offset, limit, missing), offset * step, limit * step)


def _activation_bits(width: int) -> int:
    """Half of the 31 bits that `width` products share."""
    return (31 - width.bit_length()) // 2


def _bits(value: Fraction) -> int:
    """The least n with value < 2^n, at least."""
    return -_floor_bits(1 / value) + 1


def _floor_bits(value: Fraction) -> int:
    """The largest n with 2^n <= value."""
    n = value.numerator.bit_length() - value.denominator.bit_length()
    return n if Fraction(2) ** n <= value else n - 1


def _fixed(value: Fraction) -> int:
    scaled: Fraction = value * 2**SCORE_BITS
    return round(scaled)


def _up(value: Fraction) -> float:
    return math.nextafter(float(value), math.inf)
