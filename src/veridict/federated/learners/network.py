"""A network with one hidden layer of ReLU: minibatch steps with momentum on each party's rows.

Parameters: weights [features, hidden], biases [hidden], weights [hidden], bias.
"""

from __future__ import annotations

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import F64
from veridict.federated.learners.gradient import Gradient
from veridict.federated.learners.learner import I8, Rows, Scale, probability
from veridict.models.compile import Compiled

_MOMENTUM = 0.9


class Network(Gradient):
    """`seed` draws the first weights, so that all parties begin alike."""

    name = "network"

    def __init__(
        self,
        scale: Scale,
        *,
        hidden: int = 16,
        rounds: int = 40,
        epochs: int = 2,
        batch: int = 64,
        rate: float = 0.05,
        l2: float = 1e-4,
        norm: float = 8.0,
        row_norm: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(scale, norm=norm, rounds=rounds, rate=rate, row_norm=row_norm)
        if not 1 <= hidden <= 4096 or batch < 1:
            raise BadInput(f"{hidden} hidden, batch {batch}", remedy="use 1 to 4096, and 1 or more")
        self._hidden, self._seed = hidden, seed
        self._epochs, self._batch, self._l2 = epochs, batch, l2

    @property
    def size(self) -> int:
        return len(self.scale.names) * self._hidden + 2 * self._hidden + 1

    def first(self) -> F64:
        """He's start (2015) for the hidden layer."""
        features, rng = len(self.scale.names), np.random.default_rng(self._seed)
        hidden = rng.normal(0.0, np.sqrt(2 / features), features * self._hidden)
        out = rng.normal(0.0, np.sqrt(1 / self._hidden), self._hidden)
        return np.concatenate([hidden, np.zeros(self._hidden), out, np.zeros(1)])

    def trained(self, parameters: F64, rows: Rows, seed: int) -> F64:
        inputs, labels = self.scale.standard(rows.features), rows.labels
        if self._row_norm:
            return parameters - self._rate * self._slope(parameters, inputs, labels)
        rng = np.random.default_rng(seed)
        at, speed = parameters.copy(), np.zeros_like(parameters)
        for _ in range(self._epochs):
            order = rng.permutation(len(rows))
            for start in range(0, len(order), self._batch):
                chosen = order[start : start + self._batch]
                speed = _MOMENTUM * speed - self._rate * self._slope(
                    at, inputs[chosen], labels[chosen]
                )
                at = at + speed
        return at

    def scores(self, state: bytes, features: F64) -> F64:
        first, bias, second, last = self._parts(self.parameters(state).floats)
        hidden = np.maximum(self.scale.standard(features) @ first + bias, 0.0)
        scored: F64 = hidden @ second + last[0]
        return scored

    def compiled(self, state: bytes) -> Compiled:
        from sklearn.neural_network import MLPClassifier

        from veridict.federated.learners.pipeline import behind_scale

        first, bias, second, last = self._parts(self.parameters(state).floats)
        model = MLPClassifier(hidden_layer_sizes=(self._hidden,))
        model.classes_, model.n_outputs_, model.out_activation_ = np.array([0, 1]), 1, "logistic"
        model.n_layers_ = 3
        model.coefs_, model.intercepts_ = [first, second[:, None]], [bias, last]
        return behind_scale(self.scale, model)

    def _parts(self, parameters: F64) -> tuple[F64, F64, F64, F64]:
        cut = len(self.scale.names) * self._hidden
        return (
            parameters[:cut].reshape(-1, self._hidden),
            parameters[cut : cut + self._hidden],
            parameters[cut + self._hidden : -1],
            parameters[-1:],
        )

    def _slope(self, at: F64, inputs: F64, labels: I8) -> F64:
        first, bias, second, last = self._parts(at)
        before = inputs @ first + bias
        hidden = np.maximum(before, 0.0)
        missed = probability(hidden @ second + last[0]) - labels
        back = np.outer(missed, second) * (before > 0)
        # Each row's gradient is outer(input, back), back, hidden·missed and missed.
        sizes = (back * back).sum(axis=1) * (1 + (inputs * inputs).sum(axis=1))
        sizes += missed * missed * (1 + (hidden * hidden).sum(axis=1))
        factors = self.shortening(np.sqrt(sizes)) / len(labels)
        missed, back = missed * factors, back * factors[:, None]
        return np.concatenate(
            [
                (inputs.T @ back + self._l2 * first).ravel(),
                back.sum(axis=0),
                hidden.T @ missed + self._l2 * second,
                [missed.sum()],
            ]
        )
