"""The order-preserving integer image of float64: what models compare instead of floats.

    NaN → 0;   −0.0 → +0.0;   else b = IEEE 754 bits as u64,
    image = b XOR (0xFFFF… where the sign is set, 0x8000… where not)

a < b exactly when image(a) < image(b); NaN lies below everything, alone.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veridict.core.errors import BadInput

MISSING = 0  # the image of NaN
_SIGN = np.uint64(1 << 63)
_ALL = np.uint64(2**64 - 1)


def image(rows: ArrayLike) -> NDArray[np.uint64]:
    """Images of floats, in the shape of `rows`. NaN of any sign or payload is missing.

    Raises BadInput where `rows` holds anything that is not exactly a float64:
    text, complex numbers, integers beyond 2^53 in magnitude.
    """
    floats = _exact_float64(rows)
    bits = (floats + 0.0).view(np.uint64)  # −0.0 + 0.0 is +0.0
    images = bits ^ np.where(bits & _SIGN, _ALL, _SIGN)
    images[np.isnan(floats)] = MISSING
    return images


def image_of(value: float) -> int:
    """The image of one float; the same rule, without NumPy."""
    if value != value:
        return MISSING
    bits: int = struct.unpack(">Q", struct.pack(">d", value + 0.0))[0]
    return bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 0x8000_0000_0000_0000)


def float_of(image: int) -> float:
    """The float whose image is `image`; NaN for 0. Raises BadInput where there is none."""
    if image == MISSING:
        return float("nan")
    bits = image ^ (0x8000_0000_0000_0000 if image >> 63 else 0xFFFF_FFFF_FFFF_FFFF)
    value: float = struct.unpack(">d", struct.pack(">Q", bits))[0]
    if image_of(value) != image:
        raise BadInput(f"{image} is the image of no float64", remedy="the inputs were altered")
    return value


def pack(images: NDArray[np.uint64]) -> bytes:
    """One row (or several, one after the other) as big-endian u64: what is committed to."""
    return images.astype(">u8").tobytes()


def unpack(data: bytes, n_features: int) -> NDArray[np.uint64]:
    """Rows [n, n_features] from packed inputs. Raises BadInput where the length is wrong."""
    if n_features < 1 or len(data) % (8 * n_features):
        raise BadInput(
            f"{len(data)} bytes of inputs are not rows of {n_features} features",
            remedy="pass 8 bytes a feature",
        )
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, n_features)


def _exact_float64(rows: ArrayLike) -> NDArray[np.float64]:
    array: NDArray[Any] = np.asarray(rows)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise BadInput(
            f"features of type {array.dtype} have no exact float64 value",
            remedy="pass numbers: float, int or bool",
        )
    if array.dtype.kind in "iu" and array.size and array.dtype.itemsize == 8:
        low, high = int(array.min()), int(array.max())
        if low < -(2**53) or high > 2**53:
            raise BadInput(
                "integer features beyond 2^53 lose digits as float64",
                remedy="scale the feature, or pass floats",
            )
    return np.ascontiguousarray(array, dtype=np.float64)
