"""Pads: key streams that hide a vector and cancel in the sum. Numbers are modulo 2^32.

Seeds have 128 bits. Every key and stream is derived by HKDF-SHA256 under the session's id,
so nothing of one session is of use in another.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from veridict.federated.fixed import I64

U32 = NDArray[np.uint32]
SEED_BYTES = 16
_COUNTER = bytes(16)  # a stream key is used once


def derive(secret: bytes, session: bytes, what: bytes) -> bytes:
    """32 bytes."""
    return HKDF(SHA256(), 32, salt=session, info=what).derive(secret)


def pair_key(seed: bytes, session: bytes) -> X25519PrivateKey:
    """The key by which a member's pads with the others are agreed."""
    return X25519PrivateKey.from_private_bytes(derive(seed, session, b"pair key"))


def own_pad(seed: bytes, session: bytes, length: int) -> U32:
    return _stream(derive(seed, session, b"own pad"), length)


def pair_pad(mine: X25519PrivateKey, theirs: bytes, session: bytes, length: int) -> U32:
    """The same for both; who has the smaller index adds it, the other subtracts it."""
    secret = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    return _stream(derive(secret, session, b"pair pad"), length)


def public_bytes(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def to_ring(values: I64) -> U32:
    """Two's complement in 32 bits; the caller holds to the bound."""
    return values.astype(np.uint32)


def from_ring(values: U32) -> I64:
    return values.view(np.int32).astype(np.int64)


def _stream(key: bytes, length: int) -> U32:
    stream = Cipher(ChaCha20(key, _COUNTER), mode=None).encryptor().update(bytes(4 * length))
    return np.frombuffer(stream, "<u4")
