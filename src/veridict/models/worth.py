"""What each feature is worth to one score against earlier rows, for models of every kind.

    score(row) = mean of the background's scores + the sum of all values      (exactly)

Trees      Shapley values (`models.shapley`).
Linear     Shapley values too, which a sum has in closed form: weight · (row - other). The score
           is rounded to a unit of 2^-32; what that changes is shared alike by the features that
           differ.
Networks   Shapley's sum over all orders is out of reach. Aumann and Shapley's value takes its
           place: a straight path from the other row to this one, in short strides. In a stride
           every feature moves a part of its way, in their order and once more in reverse; the
           gains of a path add up to the difference between its ends, whatever the strides.

Everything is worked out on quantised features, as the model itself does it, in integers; fractions
arise only where values are shared or averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from fractions import Fraction

import numpy as np

from veridict.core.errors import BadInput
from veridict.models import paths
from veridict.models.layout import LinearModel, MlpModel, Model, TreeModel
from veridict.models.reference import quantised, scores
from veridict.models.shapley import Attribution, Row, check_rows, shapley
from veridict.models.vector import MlpRuntime

MOVES = 2_048  # of a path through a network, about
MAX_STRIDES = 64


class Method(Enum):
    """How the values were found."""

    SHAPLEY = "Shapley values"
    PATH = "Aumann-Shapley values along a path in strides"


def method_of(model: Model) -> Method:
    return Method.PATH if isinstance(model, MlpModel) else Method.SHAPLEY


def worth(model: Model, row: Row, background: Sequence[Row], output: int = 0) -> Attribution:
    """`row`, `background`: images (`models.image`), one an int a feature.

    Of several outputs, `output` is explained. Raises BadInput for an output the model has not,
    rows of another width, no background or more than `shapley.MAX_BACKGROUND` rows of it.
    """
    if not 0 <= output < model.n_outputs:
        raise BadInput(
            f"output {output} of a model with {model.n_outputs}",
            remedy=f"pass 0 to {model.n_outputs - 1}",
        )
    if isinstance(model, TreeModel):
        return shapley(model, row, background, output)
    check_rows(model.n_features, row, background)
    return _weighted(model, row, background, output)


def _weighted(
    model: LinearModel | MlpModel, row: Row, background: Sequence[Row], output: int
) -> Attribution:
    score = scores(model, row)[output]
    others = [scores(model, other)[output] for other in background]
    x, *before = ([*map(quantised, model.inputs, images)] for images in (row, *background))
    share: Callable[..., list[Fraction]] = _terms if isinstance(model, LinearModel) else _strides
    parts = share(model, x, before, output, [score - other for other in others])
    count = len(background)
    return Attribution(Fraction(sum(others), count), tuple(p / count for p in parts), score)


def _terms(
    model: LinearModel, x: Row, before: Sequence[Row], output: int, gains: Sequence[int]
) -> list[Fraction]:
    """Each feature's values [F], summed over `before`; `gains`: the score over each of theirs."""
    values = [Fraction(0)] * model.n_features
    weights = [of_feature[output] for of_feature in model.weights]
    for other, gain in zip(before, gains, strict=True):
        terms = [w * (mine - its) for w, mine, its in zip(weights, x, other, strict=True)]
        moved = [feature for feature, term in enumerate(terms) if term]
        rounding = gain - Fraction(sum(terms), 1 << model.shift)  # 0 where nothing moved
        for feature in moved:
            values[feature] += Fraction(terms[feature], 1 << model.shift) + rounding / len(moved)
    return values


def _strides(
    model: MlpModel, x: Row, before: Sequence[Row], output: int, gains: Sequence[int]
) -> list[Fraction]:
    """As `_terms`; `gains` are met by construction."""
    network, width = MlpRuntime(model), model.n_features
    starts = np.array(before, dtype=np.int64)
    ends = np.broadcast_to(np.array(x, dtype=np.int64), starts.shape)
    outputs = np.full(len(starts), output, dtype=np.intp)
    strides = max(1, min(MAX_STRIDES, MOVES // width))
    forwards = np.arange(width)
    total = [0] * width
    for order in (forwards, forwards[::-1]):
        parts = paths.walked(network, starts, ends, outputs, strides, order)
        total = [a + b for a, b in zip(total, map(sum, parts.T.tolist()), strict=True)]
    return [Fraction(part, 2) for part in total]
