"""The model that is trained: int64 parameters, moved by integer steps.

Parameters are in units of 2^-32. A step in units of clip / 2^BITS is added exactly, so every
party that applies the same steps holds the same bytes, and `digest` names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import BITS, CLIP_BITS, F64, I64, Clip, check_length

PARAMETER_BITS = 32
PARAMETER_MAX = 1 << 52  # 2^20 in value; beyond it training has run away
_SHIFT = BITS + CLIP_BITS - PARAMETER_BITS


@dataclass(frozen=True, slots=True)
class Parameters:
    """int64[d], each below PARAMETER_MAX in magnitude."""

    values: I64

    def __post_init__(self) -> None:
        check_length(len(self.values))
        if int(self.values.max()) > PARAMETER_MAX or int(self.values.min()) < -PARAMETER_MAX:
            raise BadInput(
                "a parameter has left the range of 2^20",
                remedy="lower the learning rate or the clip",
            )

    @classmethod
    def of(cls, values: F64) -> Parameters:
        """The nearest representable parameters. Raises BadInput for NaN and out of range."""
        if not np.isfinite(values).all() or np.abs(values).max(initial=0.0) > 1 << 20:
            raise BadInput(
                "a parameter is NaN or beyond 2^20", remedy="start from finite parameters"
            )
        return cls(np.rint(values * (1 << PARAMETER_BITS)).astype(np.int64))

    @property
    def floats(self) -> F64:
        """The same on every machine: an integer below 2^53 over a power of two."""
        return self.values / float(1 << PARAMETER_BITS)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the values as big-endian int64."""
        return sha256(self.values.astype(">i8").tobytes()).digest()

    def moved(self, step: I64, clip: Clip) -> Parameters:
        """`step` int64[d] in units of clip / 2^BITS, of norm <= ONE."""
        if step.shape != self.values.shape:
            raise BadInput(
                f"a step of {len(step)} for {len(self.values)} parameters",
                remedy="aggregate updates of this model's length",
            )
        return Parameters(self.values + ((step * clip.units) >> _SHIFT))
