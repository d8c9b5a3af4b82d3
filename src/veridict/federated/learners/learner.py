"""What every learner shares: rows, the common scale, and the shape of a round."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import BadInput
from veridict.federated.fixed import F64, I64, WEIGHT_ONE, Clip, Update, encode
from veridict.models.compile import Compiled

I8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Rows:
    """A party's own data: float64[n, f], NaN where missing; labels int8[n], 0 or 1."""

    features: F64
    labels: I8

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.labels.shape != self.features.shape[:1]:
            raise BadInput(
                f"features {self.features.shape} and labels {self.labels.shape}",
                remedy="give one label a row",
            )
        if len(self.labels) == 0:
            raise BadInput("a party without rows", remedy="join with at least one row")
        if np.isinf(self.features).any() or not np.isin(self.labels, (0, 1)).all():
            raise BadInput(
                "features hold infinity, or labels are not 0 and 1",
                remedy="leave what is unknown empty, and name the label's positive class 1",
            )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Scale:
    """What the parties know of the features together, without having shown a row.

    `means` and `deviations` (above 0) of each; `edges`: where histograms cut, ascending.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    edges: tuple[tuple[float, ...], ...]
    rows_max: int  # the largest party's number of rows: what a full weight stands for

    def __post_init__(self) -> None:
        n = len(self.names)
        if not n or {len(self.means), len(self.deviations), len(self.edges)} != {n}:
            raise BadInput("a scale of uneven length", remedy="describe every feature")
        if not all(d > 0 for d in self.deviations) or self.rows_max < 1:
            raise BadInput("a deviation or a number of rows is not above 0", remedy="use 1")

    def standard(self, features: F64) -> F64:
        """Standardised, 0 where missing."""
        if features.shape[1] != len(self.names):
            raise BadInput(
                f"rows of {features.shape[1]} features in a federation of {len(self.names)}",
                remedy=f"bring, in this order: {', '.join(self.names)}",
            )
        scaled = (features - np.array(self.means)) / np.array(self.deviations)
        filled: F64 = np.nan_to_num(scaled, nan=0.0)
        return filled

    def weight(self, rows: int) -> int:
        """Of an update from `rows` rows."""
        return max(1, min(WEIGHT_ONE, rows * WEIGHT_ONE // self.rows_max))

    def encode(self) -> bytes:
        """Canonical JSON with hexadecimal floats: the same text on every machine."""
        return canonical_json(
            {
                "names": list(self.names),
                "means": [m.hex() for m in self.means],
                "deviations": [d.hex() for d in self.deviations],
                "edges": [[e.hex() for e in edges] for edges in self.edges],
                "rows_max": self.rows_max,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Scale:
        """Raises BadInput for anything `encode` would not write."""
        try:
            read = parse_json(data)
            scale = cls(
                tuple(map(str, read["names"])),
                tuple(map(float.fromhex, read["means"])),
                tuple(map(float.fromhex, read["deviations"])),
                tuple(tuple(map(float.fromhex, edges)) for edges in read["edges"]),
                int(read["rows_max"]),
            )
            if scale.encode() == data:
                return scale
        except (ValueError, TypeError, LookupError, AttributeError):
            pass
        raise BadInput("these bytes are no scale", remedy="fetch the state that is final")


class Learner(ABC):
    """Pure: a state is bytes, everyone who applies the same steps holds the same.

    A state from others is untrusted input: `check` before anything else.
    """

    name: ClassVar[str]

    def __init__(self, scale: Scale) -> None:
        self.scale = scale

    @abstractmethod
    def start(self) -> bytes:
        """The state before the first round."""

    @abstractmethod
    def check(self, state: bytes) -> None:
        """Raises BadInput unless `state` is one of this learner's."""

    @abstractmethod
    def length(self, state: bytes) -> int:
        """Numbers in the vector that the next round asks for."""

    @abstractmethod
    def clip(self, state: bytes) -> Clip:
        """The norm to which a party's vector is clipped."""

    @abstractmethod
    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        """A party's float64[length] for the next round, per row of its data."""

    @abstractmethod
    def moved(self, state: bytes, step: I64) -> bytes:
        """The state after a round; `step` int64[length] in units of clip / 2^BITS."""

    @abstractmethod
    def finished(self, state: bytes) -> bool:
        """Whether it can grow no more."""

    @property
    @abstractmethod
    def rounds(self) -> int:
        """From start to finish, at most."""

    @property
    def row_bounded(self) -> bool:
        """Whether a row's part in `vector` is at most clip / rows, whatever the row."""
        return False

    @abstractmethod
    def compiled(self, state: bytes) -> Compiled:
        """The canonical model. Raises UnsupportedModel where there is nothing yet."""

    @abstractmethod
    def scores(self, state: bytes, features: F64) -> F64:
        """Log-odds float64[n] of raw rows; what the canonical model says, but for rounding."""

    def update(self, state: bytes, rows: Rows, seed: int = 0) -> Update:
        """A party's whole part in a round."""
        return encode(self.vector(state, rows, seed), self.clip(state), self.weight(len(rows)))

    def weight(self, rows: int) -> int:
        """Of an update from `rows` rows."""
        return self.scale.weight(rows)


def digest_of(state: bytes) -> bytes:
    """The name of a state."""
    return sha256(state).digest()


def probability(log_odds: F64) -> F64:
    """1 / (1 + e^-x) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)), np.float64)
