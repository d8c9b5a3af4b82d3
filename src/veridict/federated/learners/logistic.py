"""Logistic regression: full-batch steps on each party's rows, averaged (FedAvg).

Parameters are the intercept and then a weight for each standardised feature.
"""

from __future__ import annotations

import numpy as np

from veridict.federated.fixed import F64
from veridict.federated.learners.gradient import Gradient
from veridict.federated.learners.learner import Rows, Scale, probability
from veridict.models.compile import Compiled


class Logistic(Gradient):
    """`l2`: the penalty per row on the weights, not on the intercept."""

    name = "logistic"

    def __init__(
        self,
        scale: Scale,
        *,
        rounds: int = 30,
        epochs: int = 5,
        rate: float = 0.5,
        l2: float = 1e-3,
        norm: float = 4.0,
        row_norm: float = 0.0,
    ) -> None:
        super().__init__(scale, norm=norm, rounds=rounds, rate=rate, row_norm=row_norm)
        self._epochs, self._l2 = 1 if row_norm else epochs, l2

    @property
    def size(self) -> int:
        return 1 + len(self.scale.names)

    def first(self) -> F64:
        return np.zeros(self.size)

    def trained(self, parameters: F64, rows: Rows, seed: int) -> F64:
        inputs = self._inputs(rows.features)
        at, sizes = parameters.copy(), np.sqrt((inputs * inputs).sum(axis=1))
        for _ in range(self._epochs):
            missed = probability(inputs @ at) - rows.labels
            missed *= self.shortening(np.abs(missed) * sizes)
            slope = inputs.T @ missed / len(rows)
            slope[1:] += self._l2 * at[1:]
            at -= self._rate * slope
        return at

    def scores(self, state: bytes, features: F64) -> F64:
        scored: F64 = self._inputs(features) @ self.parameters(state).floats
        return scored

    def compiled(self, state: bytes) -> Compiled:
        from sklearn.linear_model import LogisticRegression

        from veridict.federated.learners.pipeline import behind_scale

        weights = self.parameters(state).floats
        model = LogisticRegression()
        model.classes_ = np.array([0, 1])
        model.coef_, model.intercept_ = weights[None, 1:], weights[:1]
        return behind_scale(self.scale, model)

    def _inputs(self, features: F64) -> F64:
        scaled = self.scale.standard(features)
        return np.hstack([np.ones((len(scaled), 1)), scaled])
