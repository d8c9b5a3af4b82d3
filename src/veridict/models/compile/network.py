"""Small networks in integers: layers of 32-bit sums, with a bound on what rounding costs.

See `quantised` for the rules of ranges and bounds, which linear models share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from veridict.core.errors import UnsupportedModel
from veridict.core.nouns import SCORE_BITS
from veridict.models.compile.affine import Line
from veridict.models.compile.calibration import Calibration, Layers, Matrix, balanced, largest
from veridict.models.compile.quantised import (
    UNUSED,
    Input,
    Rounded,
    floor_bits,
    input_of,
    least_bits,
    up,
)
from veridict.models.layout import LANE_BIAS, Layer, MlpModel

_ZERO = Fraction(0)
MLP_SPREADS = 16  # a range reaches this many spreads from its centre
MAX_ROUNDING = 27  # places that a hidden layer cuts off: the half added first still fits


def mlp(lines: Sequence[Line], layers: Layers, name: str, rows: Any = None) -> Rounded:
    """A network of ReLU layers, each (weights, biases), over what it sees of the features.

    Raises UnsupportedModel where the range of a feature is not known, naming the model `name`.
    """
    seen = None if rows is None else Calibration.of(lines, rows)
    if seen is None and any(line.spread is None for line in lines):
        raise UnsupportedModel(
            f"this {name} cannot be compiled: the range of its inputs is not known",
            remedy="train it in a Pipeline behind a StandardScaler or MinMaxScaler, or compile "
            "it with rows",
        )
    lines = seen.lines if seen else lines
    reaches = seen.reaches if seen else [Fraction(li.spread or 0) * MLP_SPREADS for li in lines]
    layers = _raw(lines, layers)
    bits = _activation_bits(len(lines))
    shifts = [bits - least_bits(reach) if reach else 0 for reach in reaches]
    plain = _rounded(_inputs(lines, layers, reaches, shifts), layers, None)
    if seen is None:
        return plain
    layers = balanced(layers, reaches)
    shifts = [-_log2(step) for step in _steps(layers[0], layers[1:2], reaches)]
    fine = _rounded(_inputs(lines, layers, reaches, shifts), layers, seen.tops(layers))
    return min(plain, fine, key=lambda rounded: rounded.error)


def _inputs(
    lines: Sequence[Line], layers: Layers, reaches: Sequence[Fraction], shifts: Sequence[int]
) -> list[Input]:
    return [
        input_of(line, reach, shift) if any(row) and reach else UNUSED
        for line, row, reach, shift in zip(lines, layers[0][0], reaches, shifts, strict=True)
    ]


def _raw(lines: Sequence[Line], layers: Layers) -> Layers:
    """The layers, the first of them over raw features."""
    (weights, biases), *rest = layers
    raw = [[w * line.slope for w in row] for line, row in zip(lines, weights, strict=True)]
    shifted = [
        bias + sum((row[j] * li.intercept for row, li in zip(weights, lines, strict=True)), _ZERO)
        for j, bias in enumerate(biases)
    ]
    return [(raw, shifted), *rest]


def _rounded(
    inputs: Sequence[Input], layers: Layers, tops: Sequence[Sequence[Fraction]] | None
) -> Rounded:
    """`tops`: what each hidden neuron may give; without them, all that the weights allow."""
    (raw, shifted), *rest = layers
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
        step = None
        if tops and rest[number:] and any(tops[number]):
            step = min(
                _steps(rest[number], rest[number + 1 : number + 2], tops[number], alike=True)
            )
        layer, stage = stage.through(
            matrix,
            offsets,
            is_last=number == len(rest),
            step=step,
            top=max(tops[number]) if tops and step else None,
        )
        made.append(layer)
    model = MlpModel(
        tuple(each.quantiser for each in inputs), (0,) * made[-1].n_neurons, tuple(made)
    )
    error = max(stage.errors) * 2**SCORE_BITS
    return Rounded(model, up(error), tuple(each.range for each in inputs))


def _steps(
    layer: tuple[Matrix, Sequence[Fraction]],
    after: Layers,
    reaches: Sequence[Fraction],
    *,
    alike: bool = False,
) -> list[Fraction]:
    """Of each input of `layer`, the step at which rounding it costs as much as rounding weights.

    The finer the input, the larger its integers and the coarser the weights that still fit. What
    a neuron is worth is the sum of the weights that stand behind it. `alike`: one step for all.
    """
    weights, biases = layer
    unit = max(largest(weights, biases, reaches)) / LANE_BIAS or Fraction(1)
    if not after:
        unit = max(unit, Fraction(1, 2**SCORE_BITS))
    worth = (
        [sum(map(abs, row), _ZERO) for row in after[0][0]] if after else [Fraction(1)] * len(biases)
    )
    effects = [sum((abs(w) * v for w, v in zip(row, worth, strict=True)), _ZERO) for row in weights]
    if alike:
        reaches, effects = [sum(reaches, _ZERO)], [sum(effects, _ZERO)]
    whole = sum(worth, _ZERO)
    return [
        Fraction(math.sqrt(reach * unit * whole / effect)) if effect and reach else Fraction(1)
        for reach, effect in zip(reaches, effects, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Stage:
    """What goes into a layer: value = integer · step, off by at most `errors`, within `limits`."""

    steps: Sequence[Fraction]
    limits: Sequence[int]
    errors: Sequence[Fraction]

    def through(
        self,
        weights: Matrix,
        biases: Sequence[Fraction],
        *,
        is_last: bool,
        step: Fraction | None = None,
        top: Fraction | None = None,
    ) -> tuple[Layer, _Stage]:
        """The layer in integers as fine as 32 bits allow, and what comes out of it.

        `step`, `top`: of what comes out, where rows tell; no neuron gives more than `top`.
        """
        scaled = [[w * step for w in row] for step, row in zip(self.steps, weights, strict=True)]
        most = max(
            abs(bias) + sum(abs(row[j]) * li for row, li in zip(scaled, self.limits, strict=True))
            for j, bias in enumerate(biases)
        )
        # Rounding adds at most half a unit for each unit of input, and for the bias.
        # A sixteenth of the range is left for what makes the next shift round.
        room = Fraction(LANE_BIAS - LANE_BIAS // 16) - Fraction(sum(self.limits) + 1, 2)
        places = floor_bits(room / (most or 1))
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
        if step is None or top is None:
            shift = max(0, max(sums).bit_length() - _activation_bits(len(biases)))
            limit = max(1, max(sums) >> shift)
        else:
            shift = max(0, min(MAX_ROUNDING, _log2(step / unit)))
            limit = max(1, min(max(sums) >> shift, math.ceil(top / (unit * 2**shift))))
        step = unit * 2**shift
        half = (1 << shift) >> 1  # added to the biases, it makes cutting off rounding
        whole_biases = [bias + half for bias in whole_biases]
        sums = [reach + half for reach in sums]
        after = [error + step / 2 for error in errors]
        limits = [min(reach >> shift, limit) for reach in sums]
        return Layer(tuple(whole_biases), rows, shift, limit), _Stage(
            [step] * len(biases), limits, after
        )


def _activation_bits(width: int) -> int:
    """Half of the 31 bits that `width` products share."""
    return (31 - width.bit_length()) // 2


def _log2(value: Fraction) -> int:
    return round(math.log2(value))
