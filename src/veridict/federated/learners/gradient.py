"""Learners whose state is a vector of parameters: the number of rounds, and the parameters.

rounds u32 │ length u32 │ parameters i64 big-endian, in units of 2^-32
"""

from __future__ import annotations

import struct
from abc import abstractmethod

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import F64, I64, Clip
from veridict.federated.learners.learner import Learner, Rows, Scale
from veridict.federated.state import Parameters

_HEAD = struct.Struct(">II")


class Gradient(Learner):
    """`norm`: the clip of an update. A party trains `epochs` epochs on its rows in a round.

    `row_norm`: the clip of one row's gradient; above 0, a round is one step of `rate`, and no
    row's part in it is longer than `rate`·`row_norm`, which then is the clip of the update.
    """

    def __init__(
        self, scale: Scale, *, norm: float, rounds: int, rate: float = 1.0, row_norm: float = 0.0
    ) -> None:
        super().__init__(scale)
        self._clip = Clip.of(rate * row_norm if row_norm else norm)
        self._rounds, self._rate, self._row_norm = rounds, rate, row_norm

    @property
    def rounds(self) -> int:
        return self._rounds

    @property
    def row_bounded(self) -> bool:
        return self._row_norm > 0

    def shortening(self, norms: F64) -> F64:
        """What each row's gradient, of such a length, is to be multiplied with."""
        if not self._row_norm:
            return np.ones_like(norms)
        factors: F64 = np.minimum(1.0, self._row_norm / np.maximum(norms, 1e-12))
        return factors

    @property
    @abstractmethod
    def size(self) -> int:
        """Parameters."""

    @abstractmethod
    def first(self) -> F64:
        """Parameters to begin with."""

    @abstractmethod
    def trained(self, parameters: F64, rows: Rows, seed: int) -> F64:
        """Parameters after a party's local training."""

    def start(self) -> bytes:
        return self._state(0, Parameters.of(self.first()))

    def check(self, state: bytes) -> None:
        self.parameters(state)

    def length(self, state: bytes) -> int:
        return self.size

    def clip(self, state: bytes) -> Clip:
        return self._clip

    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        before = self.parameters(state).floats
        return self.trained(before, rows, seed) - before

    def moved(self, state: bytes, step: I64) -> bytes:
        (rounds, _) = _HEAD.unpack_from(state)
        return self._state(rounds + 1, self.parameters(state).moved(step, self._clip))

    def finished(self, state: bytes) -> bool:
        return int(_HEAD.unpack_from(state)[0]) >= self._rounds

    def parameters(self, state: bytes) -> Parameters:
        """Raises BadInput for what is no state of this learner."""
        if len(state) != _HEAD.size + 8 * self.size or _HEAD.unpack_from(state)[1] != self.size:
            raise BadInput(
                f"{len(state)} bytes are no state of {self.size} parameters",
                remedy="fetch the state that the last final round names",
            )
        return Parameters(np.frombuffer(state, ">i8", offset=_HEAD.size).astype(np.int64))

    def _state(self, rounds: int, parameters: Parameters) -> bytes:
        head = _HEAD.pack(rounds, self.size)
        return head + parameters.values.astype(">i8").tobytes()
