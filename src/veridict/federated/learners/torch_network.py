"""A network of one or more hidden layers of ReLU, trained by torch (extra `torch`).

As `network`, for parties that have torch: minibatch steps with momentum by its automatic
differentiation, and, where rows are to be private, each row's own gradient by Opacus. Noise is
not torch's: it is added to the whole numbers that leave, as for every learner.

Parameters, layer by layer: weights [outputs, inputs] as torch keeps them, then biases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from veridict.core.errors import BadInput, MissingPart
from veridict.federated.fixed import F64
from veridict.federated.learners.gradient import Gradient
from veridict.federated.learners.learner import Rows, Scale
from veridict.models.compile import Compiled

_MOMENTUM = 0.9
_AT_ONCE = 512  # rows whose gradients are in memory together


class TorchNetwork(Gradient):
    """`layers` hidden ones of `hidden` each; `seed` draws the first weights, for all alike."""

    name = "torch"

    def __init__(
        self,
        scale: Scale,
        *,
        hidden: int = 16,
        layers: int = 1,
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
        if not (1 <= hidden <= 4096 and 1 <= layers <= 3 and batch >= 1):
            raise BadInput(
                f"{layers} layers of {hidden}, batch {batch}",
                remedy="use 1 to 3 layers of 1 to 4096, and batches of 1 or more",
            )
        widths = [len(scale.names), *[hidden] * layers, 1]
        self._shapes = list(zip(widths[1:], widths[:-1], strict=True))
        self._epochs, self._batch, self._l2, self._seed = epochs, batch, l2, seed

    @property
    def size(self) -> int:
        return sum(outputs * (inputs + 1) for outputs, inputs in self._shapes)

    def first(self) -> F64:
        """He's start (2015); of NumPy, so that it is the same for every version of torch."""
        rng = np.random.default_rng(self._seed)
        parts = []
        for outputs, inputs in self._shapes:
            spread = np.sqrt((2 if outputs > 1 else 1) / inputs)
            parts += [rng.normal(0.0, spread, outputs * inputs), np.zeros(outputs)]
        return np.concatenate(parts)

    def trained(self, parameters: F64, rows: Rows, seed: int) -> F64:
        torch = _torch()
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # sums in one order on every machine; and faster, so small
        try:
            return self._trained(torch, parameters, rows, seed)
        finally:
            torch.set_num_threads(before)

    def _trained(self, torch: Any, parameters: F64, rows: Rows, seed: int) -> F64:
        inputs = torch.from_numpy(self.scale.standard(rows.features))
        labels = torch.from_numpy(rows.labels.astype(np.float64))
        if self._row_norm:
            step = self._private_slope(torch, parameters, inputs, labels)
            return parameters - self._rate * (step + self._l2 * parameters)
        module = self._module(torch, parameters)
        optimiser = torch.optim.SGD(
            module.parameters(), self._rate, momentum=_MOMENTUM, weight_decay=self._l2
        )
        rng, loss = np.random.default_rng(seed), torch.nn.BCEWithLogitsLoss()
        for _ in range(self._epochs):
            order = torch.from_numpy(rng.permutation(len(rows)))
            for chosen in order.split(self._batch):
                optimiser.zero_grad()
                loss(module(inputs[chosen])[:, 0], labels[chosen]).backward()
                optimiser.step()
        return _flat([p.detach() for p in module.parameters()])

    def scores(self, state: bytes, features: F64) -> F64:
        at = self.scale.standard(features)
        layers = self._layers(self.parameters(state).floats)
        for number, (weights, biases) in enumerate(layers):
            at = at @ weights.T + biases
            if number < len(layers) - 1:
                at = np.maximum(at, 0.0)
        scored: F64 = at[:, 0]
        return scored

    def compiled(self, state: bytes) -> Compiled:
        from sklearn.neural_network import MLPClassifier

        from veridict.federated.learners.pipeline import behind_scale

        layers = self._layers(self.parameters(state).floats)
        model = MLPClassifier(hidden_layer_sizes=tuple(o for o, _ in self._shapes[:-1]))
        model.classes_, model.n_outputs_, model.out_activation_ = np.array([0, 1]), 1, "logistic"
        model.n_layers_ = len(layers) + 1
        model.coefs_ = [weights.T for weights, _ in layers]
        model.intercepts_ = [biases for _, biases in layers]
        return behind_scale(self.scale, model)

    def _private_slope(self, torch: Any, parameters: F64, inputs: Any, labels: Any) -> F64:
        """The mean of all rows' gradients, each of which is shortened to `row_norm`."""
        from opacus import GradSampleModule

        module = GradSampleModule(self._module(torch, parameters))
        loss, total = torch.nn.BCEWithLogitsLoss(reduction="sum"), np.zeros(self.size)
        for start in range(0, len(labels), _AT_ONCE):
            module.zero_grad(set_to_none=True)
            part = slice(start, start + _AT_ONCE)
            loss(module(inputs[part])[:, 0], labels[part]).backward()
            each = torch.cat([p.grad_sample.flatten(1) for p in module.parameters()], 1).numpy()
            total += self.shortening(np.linalg.norm(each, axis=1)) @ each
        return total / len(labels)

    def _module(self, torch: Any, parameters: F64) -> Any:
        parts: list[Any] = []
        for weights, biases in self._layers(parameters):
            layer = torch.nn.Linear(weights.shape[1], weights.shape[0], dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weights.copy()))
                layer.bias.copy_(torch.from_numpy(biases.copy()))
            parts += [layer, torch.nn.ReLU()]
        return torch.nn.Sequential(*parts[:-1])

    def _layers(self, parameters: F64) -> list[tuple[F64, F64]]:
        found, at = [], 0
        for outputs, inputs in self._shapes:
            weights = parameters[at : at + outputs * inputs].reshape(outputs, inputs)
            at += outputs * inputs
            found.append((weights, parameters[at : at + outputs]))
            at += outputs
        return found


def _flat(tensors: list[Any]) -> F64:
    return np.concatenate([tensor.numpy().ravel() for tensor in tensors])


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingPart(
            "the learner `torch` needs torch, which is not installed",
            remedy="pip install 'veridict[torch]', or choose the learner `network`",
        ) from error
    return torch
