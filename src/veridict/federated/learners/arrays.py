"""Named float arrays that each party trains by code of its own, such as a Flower ClientApp.

    "A" ‖ rounds done u32 ‖ parameters int64, big-endian, in the order of the rules

The federation knows shapes and no more: it clips, weighs, joins and keeps the state. There is
no canonical model of it, since nobody but the parties' code knows what the arrays mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from typing import ClassVar, Protocol

import numpy as np

from veridict.core.errors import BadInput, UnsupportedModel
from veridict.federated.fixed import F64, I64, WEIGHT_ONE, Clip, Update, check_length, encode
from veridict.federated.learners.learner import Learner, Rows, Scale
from veridict.federated.state import Parameters
from veridict.models.compile import Compiled

_MAGIC, _HEAD = b"A", 5
_NO_SCALE = Scale(("x",), (0.0,), (1.0,), ((0.0,),), 1)


class Trainer(Protocol):
    """What stands for a party's rows: its own code, over its own data."""

    def update(self, state: bytes, seed: int) -> Update: ...


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """`spread`: the start is drawn evenly within ± it; 0 starts at zeros."""

    name: str
    shape: tuple[int, ...]
    spread: float

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @classmethod
    def parse(cls, text: str) -> ArraySpec:
        """`name:shape` or `name:shape:spread`, the shape as 3x4; a single number is 1."""
        try:
            name, shape, *spread = text.split(":")
            sizes = tuple(int(each) for each in shape.split("x"))
            spec = cls(name.strip(), sizes, float(spread[0]) if spread else 0.0)
        except ValueError:
            raise _no_arrays(text) from None
        if not spec.name or min(sizes) < 1 or len(spread) > 1 or not 0 <= spec.spread <= 16:
            raise _no_arrays(text)
        return spec


class Arrays(Learner):
    """`arrays`: as `coef:1x30,intercept:1`; `norm`: of the largest update in a round."""

    name: ClassVar[str] = "arrays"

    def __init__(
        self, rows_max: int, arrays: str = "", rounds: int = 10, norm: str = "1", start: str = ""
    ) -> None:
        super().__init__(_NO_SCALE)
        self.specs = tuple(ArraySpec.parse(each) for each in arrays.split(","))
        self._rows_max, self._rounds, self._start = rows_max, int(rounds), start
        try:
            self._clip = Clip.of(float(norm))
        except ValueError:
            raise BadInput(f"{norm!r} is no norm", remedy="write it as decimal text") from None
        if self._rounds < 1 or len({spec.name for spec in self.specs}) != len(self.specs):
            raise BadInput("no rounds, or two arrays of one name", remedy="mend the settings")
        self._length = sum(spec.size for spec in self.specs)
        check_length(self._length)

    def start(self) -> bytes:
        """The same on every machine: drawn from SHAKE-256 of the setting `start`."""
        drawn = np.frombuffer(shake_256(self._start.encode()).digest(4 * self._length), ">i4")
        spreads = np.repeat([spec.spread for spec in self.specs], [s.size for s in self.specs])
        return self._packed(0, Parameters.of(drawn / 2.0**31 * spreads))

    def check(self, state: bytes) -> None:
        self._read(state)

    def length(self, state: bytes) -> int:
        return self._length

    def clip(self, state: bytes) -> Clip:
        return self._clip

    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        raise UnsupportedModel(
            "arrays are trained by the party's own code",
            remedy="join with a Flower ClientApp instead of a table",
        )

    def moved(self, state: bytes, step: I64) -> bytes:
        done, parameters = self._read(state)
        return self._packed(done + 1, parameters.moved(step, self._clip))

    def finished(self, state: bytes) -> bool:
        return self._read(state)[0] >= self._rounds

    @property
    def rounds(self) -> int:
        return self._rounds

    def compiled(self, state: bytes) -> Compiled:
        raise UnsupportedModel(
            "only the parties' code knows what these arrays mean",
            remedy="take the arrays: `veridict federate train --out model.npz`",
        )

    def scores(self, state: bytes, features: F64) -> F64:
        raise UnsupportedModel(
            "only the parties' code knows what these arrays mean",
            remedy="evaluate them with that code",
        )

    def weight(self, rows: int) -> int:
        return max(1, min(WEIGHT_ONE, rows * WEIGHT_ONE // self._rows_max))

    # -- in and out ------------------------------------------------------------------------------

    def arrays(self, state: bytes) -> dict[str, F64]:
        """By name, in the order of the rules."""
        values = self._read(state)[1].floats
        ends = np.cumsum([spec.size for spec in self.specs])[:-1]
        parts = np.split(values, ends)
        return {s.name: p.reshape(s.shape) for s, p in zip(self.specs, parts, strict=True)}

    def trained(self, state: bytes, arrays: Sequence[F64], examples: int) -> Update:
        """What a party's training on `examples` rows adds to the arrays, in their order.

        Raises BadInput for other shapes, NaN or infinity.
        """
        shapes = [tuple(np.shape(array)) for array in arrays]
        if [math.prod(shape) for shape in shapes] != [spec.size for spec in self.specs]:
            raise BadInput(
                f"arrays of shapes {shapes}",
                remedy=f"return those of the rules: {[spec.shape for spec in self.specs]}",
            )
        flat = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
        before = self._read(state)[1].floats
        return encode(flat - before, self._clip, self.weight(max(1, examples)))

    def done(self, state: bytes) -> int:
        """Rounds that are behind this state."""
        return self._read(state)[0]

    def _packed(self, done: int, parameters: Parameters) -> bytes:
        return _MAGIC + done.to_bytes(4, "big") + parameters.values.astype(">i8").tobytes()

    def _read(self, state: bytes) -> tuple[int, Parameters]:
        if state[:1] != _MAGIC or len(state) != _HEAD + 8 * self._length:
            raise BadInput(
                f"{len(state)} bytes are no state of {self._length} parameters",
                remedy="fetch the state that the last final round names",
            )
        values = np.frombuffer(state, ">i8", offset=_HEAD).astype(np.int64)
        return int.from_bytes(state[1:_HEAD], "big"), Parameters(values)


def arrays_of(settings: Mapping[str, int | str], rows_max: int) -> Arrays:
    """Raises BadInput for an unknown setting."""
    try:
        return Arrays(rows_max, **settings)  # type: ignore[arg-type]
    except TypeError as error:
        raise BadInput(
            f"arrays have no such setting: {error}",
            remedy="set arrays, rounds, norm and start",
        ) from error


def _no_arrays(text: str) -> BadInput:
    return BadInput(
        f"{text!r} describes no array", remedy="write name:3x4, or name:3x4:0.1 for a random start"
    )
