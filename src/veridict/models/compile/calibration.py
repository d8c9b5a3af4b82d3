"""Where a user's rows lie, so that integers are spent on what occurs.

Each feature's range is what the rows show and a quarter more on either side; a hidden neuron may
give twice what any row makes it give. Both are checked of any row afterwards
(`agreement`): the bound holds for every row that stays within, whether it was seen or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.errors import BadInput
from veridict.models.compile.affine import Line

Matrix = Sequence[Sequence[Fraction]]  # [input][output]
Layers = Sequence[tuple[Matrix, Sequence[Fraction]]]

MARGIN = Fraction(5, 4)  # of a range around its middle
TOP_MARGIN = 2  # of what a hidden neuron gives


@dataclass(frozen=True, slots=True)
class Calibration:
    """`lines` around the middles of the ranges, `reaches` to either side of them."""

    rows: Any  # [n, F], float64, none of it missing
    lines: Sequence[Line]
    reaches: Sequence[Fraction]

    @classmethod
    def of(cls, lines: Sequence[Line], rows: Any) -> Calibration:
        """Raises BadInput where `rows` are not numbers, or of another width."""
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(lines) or not len(matrix):
            raise BadInput(
                f"rows are {matrix.shape}, not [n, {len(lines)}]",
                remedy="pass one row a line, one column a feature",
            )
        filled = np.array(matrix)
        found, reaches = [], []
        for feature, line in enumerate(lines):
            missing = next((v for v in (line.missing, line.centre) if v is not None), 0.0)
            own = matrix[:, feature]
            own = own[np.isfinite(own)]
            low, high = (own.min(), own.max()) if len(own) else (missing, missing)
            middle, reach = (
                (Fraction(high) + Fraction(low)) / 2,
                (Fraction(high) - Fraction(low)) / 2,
            )
            filled[:, feature] = np.nan_to_num(
                matrix[:, feature], nan=missing, posinf=float(high), neginf=float(low)
            )
            found.append(replace(line, centre=float(middle), missing=missing))
            reaches.append(reach * MARGIN or max(abs(middle), Fraction(1)) / 4)
        return cls(filled, found, reaches)

    def tops(self, layers: Layers) -> list[list[Fraction]]:
        """What each hidden neuron may give; the first of `layers` is over raw features."""
        at, tops = self.rows, []
        for weights, biases in layers[:-1]:
            at = np.maximum(at @ np.array(weights, dtype=float) + np.array(biases, dtype=float), 0)
            tops.append([Fraction(float(most)) * TOP_MARGIN for most in at.max(axis=0)])
        return tops


def balanced(layers: Layers, reaches: Sequence[Fraction]) -> Layers:
    """The same function, with hidden neurons scaled by powers of two to like largest sums.

    Possible because max(c a, 0) = c max(a, 0): what a neuron's weights are multiplied by, the next
    layer's are divided by. One step then serves all neurons of a layer.
    """
    made: list[tuple[Matrix, Sequence[Fraction]]] = list(layers)
    for number, (after, own) in enumerate(layers[1:]):
        weights, biases = made[number]
        sums = largest(weights, biases, reaches)
        scales = [Fraction(1, 2) ** _places(most) for most in sums]
        made[number] = (
            [[w * c for w, c in zip(row, scales, strict=True)] for row in weights],
            [bias * c for bias, c in zip(biases, scales, strict=True)],
        )
        made[number + 1] = (
            [[w / c for w in row] for row, c in zip(after, scales, strict=True)],
            own,
        )
        reaches = [most * c for most, c in zip(sums, scales, strict=True)]
    return made


def largest(
    weights: Matrix, biases: Sequence[Fraction], reaches: Sequence[Fraction]
) -> list[Fraction]:
    """The largest magnitude of each neuron's sum."""
    sums = [abs(bias) for bias in biases]
    for reach, row in zip(reaches, weights, strict=True):
        sums = [s + reach * abs(w) for s, w in zip(sums, row, strict=True)]
    return sums


def _places(value: Fraction) -> int:
    """The n for which 2^n is about `value`; 0 of 0."""
    return value.numerator.bit_length() - value.denominator.bit_length() if value else 0
