"""Identifiers as points of Curve25519, hidden by multiplication with a secret number.

An identifier becomes a point by Elligator 2 (RFC 9380, section 6.7.1) over SHA-512, so nobody
knows its logarithm, and every point lies on the curve itself, never on its twist, which would
say one bit of it. Multiplication is X25519 (RFC 7748) of `cryptography`: it commutes, and its
factor of 8 drops small subgroups.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha512

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from veridict.core.errors import EvidenceError

POINT_BYTES = 32
_P = 2**255 - 19
_A = 486662
_AT_ONCE = 2_000
_ALONE = 8_000  # fewer points are not worth other processes


def point_of(domain: bytes, identifier: bytes) -> bytes:
    """32 bytes. `domain` names one matching: points of another say nothing here."""
    size = len(domain).to_bytes(4, "big")
    r = int.from_bytes(sha512(size + domain + identifier).digest(), "little") % _P
    # Elligator 2 with the non-square 2: one of v and -v - A is on the curve.
    v = -_A * pow(1 + 2 * r * r, -1, _P) % _P
    x = v if _is_square((v * v * v + _A * v * v + v) % _P) else (-v - _A) % _P
    return x.to_bytes(POINT_BYTES, "little")


def times(secret: bytes, points: Iterable[bytes]) -> list[bytes]:
    """Each point, multiplied. Raises EvidenceError for what no honest party sends."""
    key = X25519PrivateKey.from_private_bytes(secret)
    try:
        return [key.exchange(X25519PublicKey.from_public_bytes(point)) for point in points]
    except ValueError as error:
        raise EvidenceError(
            "the other party sent a point of a small subgroup, or none",
            remedy="stop: it does not follow the protocol",
            finding="matching.bad-point",
        ) from error


def hidden(domain: bytes, identifiers: list[bytes], secret: bytes, processes: int) -> list[bytes]:
    """Identifiers as points, multiplied; in as many processes as are worth it."""
    return _spread(partial(_hidden, domain, secret), identifiers, processes)


def hidden_again(points: list[bytes], secret: bytes, processes: int) -> list[bytes]:
    """Another party's points, multiplied. Raises EvidenceError."""
    return _spread(partial(times, secret), points, processes)


def _hidden(domain: bytes, secret: bytes, identifiers: list[bytes]) -> list[bytes]:
    return times(secret, (point_of(domain, identifier) for identifier in identifiers))


def _spread(work: partial[list[bytes]], items: list[bytes], processes: int) -> list[bytes]:
    parts = [items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE)]
    if processes < 2 or len(items) < _ALONE:
        return [point for part in parts for point in work(part)]
    with ProcessPoolExecutor(processes) as pool:
        return [point for part in pool.map(work, parts) for point in part]


def _is_square(n: int) -> bool:
    """Jacobi's symbol of n modulo the prime, by the binary algorithm: not -1."""
    a, m, sign = n, _P, 1
    while a:
        twos = (a & -a).bit_length() - 1
        a >>= twos
        if twos & 1 and m & 7 in (3, 5):
            sign = -sign
        a, m = m, a
        if a & m & 3 == 3:
            sign = -sign
        a %= m
    return sign == 1
