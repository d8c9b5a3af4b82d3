"""Noise for joint statistics: each party's part, so that the sum of all carries enough."""

from __future__ import annotations

import math

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64, ONE
from veridict.federated.privacy.accounting import least_deviation, multiplier_for
from veridict.federated.privacy.gaussian import discrete_gaussian
from veridict.federated.statistics import Question


def blurred(question: Question, answer: I64, epsilon: float, delta: float, sharers: int) -> I64:
    """`answer` with this party's part of the noise, of which `sharers` parts are enough.

    One row is one present, one z, one z² and one cell of each feature: at most 2 in length.
    Raises BadInput where the noise does not fit beside the rows.
    """
    row = 2 * math.sqrt(len(question.features)) * ONE / question.rows_max
    sensitivity = math.ceil(row + math.sqrt(question.length))  # rounding moves each by 1 at most
    deviation = math.ceil(multiplier_for(epsilon, delta, 1) * sensitivity / math.sqrt(sharers))
    fits = least_deviation(question.length) <= deviation < 1 << 24
    noisy = answer + discrete_gaussian(deviation, len(answer)) if fits else answer
    if not fits or int(np.abs(noisy).max()) > ONE:
        raise BadInput(
            f"noise for epsilon {epsilon} does not fit beside {question.rows_max} rows",
            remedy="ask with a larger --rows-max: several times the largest party's rows",
        )
    return noisy
