"""How one key is kept under another, and what goes wrong with the files that hold them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from veridict.core.errors import StorageFailed

NONCE_BYTES = 12  # AES-GCM: NIST SP 800-38D §8.2.2, random, far below 2^32 uses of a key


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """What SQLite, the file system and a wrong key raise, as StorageFailed."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise StorageFailed(
            f"{path.name}: the vault cannot be opened or written: {error}",
            remedy="free space and mend permissions, or put back the vault's backup; run again",
            path=str(path),
            cause=name,
        ) from error
    except InvalidTag as error:
        raise damaged(path) from error


def damaged(path: Path) -> StorageFailed:
    return StorageFailed(
        f"{path.name}: a wrapped key was altered",
        remedy="put back the vault's backup; what it sealed cannot be opened without",
        path=str(path),
    )


def wrap(key: bytes, secret: bytes, name: bytes) -> bytes:
    return wrapped(AESGCM(key), os.urandom(NONCE_BYTES), secret, name)


def wrapped(cipher: AESGCM, nonce: bytes, secret: bytes, name: bytes) -> bytes:
    """As `wrap`, where one key wraps many: the nonce must be random and new."""
    return nonce + cipher.encrypt(nonce, secret, name)


def unwrap(key: bytes, box: bytes, name: bytes) -> bytes:
    """Raises InvalidTag where `box` was altered, cut or wrapped under another key."""
    try:
        return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], name)
    except ValueError as error:  # too short to hold a nonce
        raise InvalidTag from error


def name_of(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)
