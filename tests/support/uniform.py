"""A log of equal leaves, of any size at no cost: for proofs as long as a large log's.

The same recursions as `trees`, over sizes.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from tests.support import trees


@cache
def root(size: int, leaf: bytes) -> bytes:
    if size == 1:
        return leaf
    k = _split(size)
    return sha256(b"\x01" + root(k, leaf) + root(size - k, leaf)).digest()


def inclusion(index: int, size: int, leaf: bytes) -> list[bytes]:
    if size == 1:
        return []
    k = _split(size)
    if index < k:
        return [*inclusion(index, k, leaf), root(size - k, leaf)]
    return [*inclusion(index - k, size - k, leaf), root(k, leaf)]


def consistency(old: int, new: int, leaf: bytes, *, whole: bool = True) -> list[bytes]:
    """0 < old <= new."""
    if old == new:
        return [] if whole else [root(old, leaf)]
    k = _split(new)
    if old <= k:
        return [*consistency(old, k, leaf, whole=whole), root(new - k, leaf)]
    return [*consistency(old - k, new - k, leaf, whole=False), root(k, leaf)]


def _split(n: int) -> int:
    return 1 << (n - 1).bit_length() - 1


assert inclusion(4, 7, b"\1" * 32) == trees.inclusion(4, [b"\1" * 32] * 7)
assert consistency(5, 7, b"\1" * 32) == trees.consistency(5, [b"\1" * 32] * 7)
