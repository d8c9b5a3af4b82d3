"""Three components that add up to an update and to the proof of its norm.

    values   as integers of 96 bits, two's complement; two are random below 2^88
    proof    modulo p; two are random

Components 0 and 1 are streams of a key of 32 bytes. Component 2 is what is missing, sent in
the open under the stream of a third key. As each is below 2^95, what they add up to is below
2^97 whatever a dealer does: a squared norm cannot wrap around p. A component says of a value
below 2^28 no more than one in 2^60 would by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from numpy.typing import NDArray

from veridict.federated.committee.field import F64, FIELD_BYTES, P, pack, random_elements
from veridict.federated.committee.proof import Shape
from veridict.federated.fixed import I64

U64 = NDArray[np.uint64]

COMPONENTS = 3
SENT = 2  # the component that is sent; the others are streams
KEY_BYTES = 32
_VALUE_BYTES = 12
_LOW_32 = 0xFFFF_FFFF


def component_bytes(length: int) -> int:
    return _VALUE_BYTES * length + FIELD_BYTES * Shape(length).proof


def stream(key: bytes, size: int) -> bytes:
    """Of a key that is used for nothing else."""
    return Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor().update(bytes(size))


@dataclass(frozen=True, slots=True)
class Component:
    """`data` uint8[length, 12]; `proof`: elements of the field."""

    data: NDArray[np.uint8]
    proof: tuple[int, ...]

    @classmethod
    def of(cls, number: int, key: bytes, sent: bytes, length: int) -> Component:
        """From its key, and for the last from what was sent under it."""
        made = np.frombuffer(stream(key, component_bytes(length)), np.uint8)
        if number == SENT:
            made = made ^ np.frombuffer(sent, np.uint8)
        data = made[: _VALUE_BYTES * length].reshape(length, _VALUE_BYTES).copy()
        if number != SENT:
            data[:, -1] = 0
        return cls(data, tuple(random_elements(made[_VALUE_BYTES * length :].tobytes())))

    @property
    def limbs(self) -> F64:
        """float64[length, 6], the highest signed."""
        limbs = self.data.view("<u2").astype(np.float64)
        limbs[:, -1] = self.data.view("<i2")[:, -1]
        return limbs

    @property
    def low(self) -> U64:
        """uint64[length]: the values modulo 2^64."""
        return np.ascontiguousarray(self.data[:, :8]).view("<u8")[:, 0].astype(np.uint64)


def split(values: I64, proof: Sequence[int], keys: Sequence[bytes]) -> bytes:
    """What is sent of the last component, so that all three add up to `values` and `proof`."""
    length = len(values)
    streams = [Component.of(number, keys[number], b"", length) for number in range(SENT)]
    rest = [values & _LOW_32, (values >> 32) & _LOW_32, (values >> 63) & _LOW_32]
    for part in streams:
        words = part.data.view("<u4").astype(np.int64)
        rest = [limb - words[:, place] for place, limb in enumerate(rest)]
    carry = np.zeros(length, np.int64)
    words = np.zeros((length, COMPONENTS), "<u4")
    for place, limb in enumerate(rest):
        limb = limb + carry
        words[:, place] = limb & _LOW_32
        carry = limb >> 32
    missing = [
        (whole - a - b) % P
        for whole, a, b in zip(proof, streams[0].proof, streams[1].proof, strict=True)
    ]
    plain = np.frombuffer(words.tobytes() + pack(missing), np.uint8)
    return bytes(plain ^ np.frombuffer(stream(keys[SENT], len(plain)), np.uint8))
