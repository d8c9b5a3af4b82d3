"""One host's secret: an X25519 key in a file, to which a shared vault's master key is sealed.

It is replaced after every erasure, as `privacy.master` replaces its own: what was sealed to the
old one, in the database's write-ahead log or its backups, opens nowhere any more.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from veridict.core.files import replace_file
from veridict.privacy.master import KEY_BYTES, MasterKey
from veridict.privacy.wrapping import unwrap, wrap

NAMES = ("host.key", "host.next")
_ID = "host.id"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Host:
    """Who holds the key in a directory; `copied` where it was made in another place."""

    id: str
    copied: bool


class HostKey:
    """The files of one host's directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.keys = MasterKey(directory, NAMES)

    def host(self) -> Host | None:
        """None where there was never a key."""
        try:
            id, _, place = (self._directory / _ID).read_text().strip().partition(" ")
        except FileNotFoundError:
            return None
        return Host(id, place != self._place())

    def name(self) -> str:
        """A fresh name for who keeps their key here, by which people know the host."""
        return f"{socket.gethostname()}-{secrets.token_hex(4)}"

    def take(self, id: str) -> None:
        """From now on the key in this directory is the host `id`'s. Durable."""
        replace_file(self._directory / _ID, f"{id} {self._place()}\n".encode())

    def _place(self) -> str:
        return f"{socket.gethostname()}:{self._directory.resolve()}"


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal_to(public: bytes, secret: bytes, name: bytes) -> bytes:
    """Opens with the private key of `public` alone: X25519 with a fresh key, AES-256-GCM."""
    once = X25519PrivateKey.generate()
    beside = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    return beside + wrap(_derived(shared, beside + public), secret, name)


def open_with(private: bytes, box: bytes, name: bytes) -> bytes:
    """Raises InvalidTag where it was sealed to another key, or altered."""
    key = X25519PrivateKey.from_private_bytes(private)
    beside, public = box[:KEY_BYTES], key.public_key().public_bytes_raw()
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(beside))
    except ValueError as error:  # no point, or one of those that agree with everybody
        raise InvalidTag from error
    return unwrap(_derived(shared, beside + public), box[KEY_BYTES:], name)


def mac(master: bytes, name: bytes, public: bytes) -> bytes:
    """That whoever knew `master` took this public key for a host's."""
    return blake2b(name + public, digest_size=_MAC_BYTES, key=master, person=b"host").digest()


def _derived(shared: bytes, about: bytes) -> bytes:
    hkdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"veridict vault" + about)
    return hkdf.derive(shared)
