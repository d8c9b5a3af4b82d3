"""Seeds in shares: any `threshold` of them give a seed back, fewer say nothing (Shamir, 1979).

A dealer commits to every share by its hash: 128 random bits hide behind it. Who opens another
share than it was dealt is found by anybody, and so is who dealt shares of no common seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from Crypto.Protocol.SecretSharing import Shamir

SHARE_BYTES = 16


def deal(seed: bytes, threshold: int, n: int) -> list[bytes]:
    """`n` shares of a 16-byte seed, for the members 0 to n - 1."""
    return [bytes(share) for _, share in sorted(Shamir.split(threshold, n, seed, False))]


def restore(shares: Mapping[int, bytes], threshold: int) -> bytes:
    """The seed from shares by member; exactly `threshold` of them are used."""
    chosen = sorted(shares.items())[:threshold]
    return bytes(Shamir.combine([(member + 1, share) for member, share in chosen], False))


def commitment(session: bytes, dealer: int, holder: int, what: bytes, share: bytes) -> bytes:
    head = dealer.to_bytes(2, "big") + holder.to_bytes(2, "big")
    return sha256(b"share\0" + session + head + what + share).digest()


def seed_commitment(session: bytes, dealer: int, seed: bytes) -> bytes:
    return sha256(b"seed\0" + session + dealer.to_bytes(2, "big") + seed).digest()
