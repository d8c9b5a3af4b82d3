"""Integers modulo p = 2^255 - 19, and their products with many small numbers at once.

Numbers are cut into limbs of 16 bits, held as float64: a product of two limbs summed over
fewer than 2^21 rows stays below 2^53, so a matrix product of limbs is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

P = 2**255 - 19
FIELD_BYTES = 32
_LIMBS = 16  # of an element of the field


def random_elements(stream: bytes) -> list[int]:
    """Of 32 bytes each; 38 of 2^256 values are twice as likely as the rest."""
    starts = range(0, len(stream), FIELD_BYTES)
    return [int.from_bytes(stream[at : at + FIELD_BYTES], "little") % P for at in starts]


def pack(elements: Sequence[int]) -> bytes:
    return b"".join(element.to_bytes(FIELD_BYTES, "little") for element in elements)


def limbs_of(elements: Sequence[int]) -> F64:
    """float64[n, 16], the lowest first."""
    flat = np.frombuffer(pack(elements), "<u2").astype(np.float64)
    return flat.reshape(len(elements), _LIMBS)


def products(weights: Sequence[Sequence[int]], limbs: F64) -> list[list[int]]:
    """Σ over l of weights[w][l] · x[l, m] mod p, for all w and m.

    `limbs` float64[k, l, m]: x in k limbs of 16 bits, the highest may be signed.
    """
    k, rows, columns = limbs.shape
    elements = [weight for each in weights for weight in each]
    cut = limbs_of(elements).reshape(len(weights), rows, _LIMBS).transpose(0, 2, 1)
    flat = np.ascontiguousarray(cut).reshape(-1, rows)  # one matrix, as BLAS likes it
    sums = np.zeros((len(weights), _LIMBS + k, columns))
    for place in range(k):
        sums[:, place : place + _LIMBS] += (flat @ limbs[place]).reshape(-1, _LIMBS, columns)
    return [_joined(each) for each in sums]


def _joined(sums: F64) -> list[int]:
    """Column by column: Σ sums[j]·2^(16j) mod p."""
    whole = sums.astype(np.int64)
    if len(whole) % 2:
        whole = np.vstack([whole, np.zeros_like(whole[:1])])
    pairs = whole[0::2] + (whole[1::2] << 16)  # below 2^43 · 2^16
    total = np.zeros(whole.shape[1], object)
    for digit in pairs[::-1]:
        total = (total << 32) + digit.astype(object)
    return (total % P).tolist()


@lru_cache(maxsize=64)
def _denominators(n: int) -> tuple[int, ...]:
    """1 / Π over i ≠ j of (j - i), for the nodes 0 to n - 1."""
    factorials = [1]
    for i in range(1, n):
        factorials.append(factorials[-1] * i % P)
    return tuple(
        pow(factorials[j] * factorials[n - 1 - j] * (-1) ** (n - 1 - j), -1, P) for j in range(n)
    )


def lagrange(n: int, at: int) -> list[int]:
    """What the values of a polynomial of degree below n at 0 … n - 1 count for its value `at`."""
    before, after = [1], [1]
    for j in range(n - 1):
        before.append(before[-1] * (at - j) % P)
        after.append(after[-1] * (at - (n - 1 - j)) % P)
    scale = _denominators(n)
    return [before[j] * after[n - 1 - j] * scale[j] % P for j in range(n)]
