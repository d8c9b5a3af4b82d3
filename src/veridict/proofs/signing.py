"""Plain Ed25519 keys (RFC 8032) for messages that carry their own domain."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from veridict.core.errors import BadInput, StorageFailed
from veridict.core.files import SECRET, create_file, must_be_private

KEY_BYTES = 32


class PrivateKey:
    """Never shown: it has no text form but the file it is kept in."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key

    @classmethod
    def generate(cls) -> PrivateKey:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> PrivateKey:
        """A file of 32 bytes, readable by its owner only. Raises StorageFailed or BadInput."""
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                create_file(path, cls.generate().key.private_bytes_raw(), mode=SECRET)
            must_be_private(path)
            seed = path.read_bytes()
        except OSError as error:
            raise StorageFailed(
                f"the key {path.name} cannot be kept: {error.strerror}",
                remedy="make the folder writable for this user",
            ) from error
        if len(seed) != KEY_BYTES:
            raise BadInput(f"{path.name} is no Ed25519 key", remedy="put back a backup of it")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self.key.sign(message)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.hex()[:16]}…)"


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """False also for bytes that are no key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
