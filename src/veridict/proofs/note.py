"""Signed notes: text with Ed25519 signature lines, as https://c2sp.org/signed-note has them.

    <text, ending in a newline>
    <blank line>
    — <key name> base64(key id 4B ‖ signature 64B)      one or more

Verifier keys are text, `name+hex(key id)+base64(0x01 ‖ public key)`; signer keys
are `PRIVATE+KEY+name+hex(key id)+base64(0x01 ‖ seed)`, as Go's sumdb/note writes them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from veridict.core.errors import BadInput, EvidenceError

ED25519 = 0x01  # signature type byte, c2sp.org/signed-note "Signature types"
KEY_BYTES = 32
KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 512 * 1024  # the text requires room for 16 signatures of up to 5 kB
MAX_SIGNATURES = 64

_DASH = "\u2014 "
SKEY_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing is verified yet. `text` includes its final newline."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> str:
        return self.text + "\n" + "".join(s.line() for s in self.signatures)

    @classmethod
    def parse(cls, data: str | bytes) -> Note:
        """Raises EvidenceError ("note.malformed") for anything but a well-formed note."""
        whole = _decode(data)
        text, separator, lines = whole.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            _malformed("text, a blank line and signature lines are expected")
        signatures = tuple(parse_line(line) for line in lines[:-1].split("\n"))
        if len(signatures) > MAX_SIGNATURES:
            _malformed(f"{len(signatures)} signatures are more than {MAX_SIGNATURES}")
        return cls(text + "\n", signatures)


class NoteVerifier(Protocol):
    """A named key of any signature type: this module's `Verifier`, or a cosigner's."""

    @property
    def name(self) -> str: ...
    @property
    def public_key(self) -> bytes: ...
    @property
    def vkey(self) -> str: ...
    def matches(self, signature: Signature) -> bool:
        """Whether `signature` claims to be by this key."""

    def verify(self, text: str, signature: Signature) -> None:
        """Raises EvidenceError ("note.signature") unless this key signed `text`."""


V = TypeVar("V", bound=NoteVerifier)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name) or len(self.public_key) != KEY_BYTES:
            raise BadInput(
                f"{self.name!r} with {len(self.public_key)} bytes is no named Ed25519 key",
                remedy="use a name without spaces and '+', and a 32-byte public key",
            )

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519, self.public_key)

    @property
    def vkey(self) -> str:
        return key_text(self.name, self.key_id, ED25519, self.public_key)

    @property
    def vkey_hash(self) -> bytes:
        """SHA-256 of the verifier key text: the log's name on chain."""
        return sha256(self.vkey.encode()).digest()

    @classmethod
    def from_vkey(cls, vkey: str) -> Verifier:
        """Raises BadInput unless `vkey` is exactly one Ed25519 verifier key."""
        name, _, key = parse_key(vkey, "verifier", {ED25519: KEY_BYTES})
        verifier = cls(name, key)
        if verifier.vkey != vkey:
            bad_key("verifier", "its key id does not belong to it")
        return verifier

    def matches(self, signature: Signature) -> bool:
        """Whether `signature` claims to be by this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verify(self, text: str, signature: Signature) -> None:
        """Raises EvidenceError ("note.signature") unless this key signed `text`."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(signature.signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise EvidenceError(
                f"the signature by {self.name} does not fit the text",
                remedy="the text or its signature was altered: trust neither",
                finding="note.signature",
            ) from error


class Signer:
    """A private key under a name. Its text form leaves only through `skey`, never through repr."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key
        self.verifier = Verifier(name, private_key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str) -> Signer:
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_skey(cls, skey: str) -> Signer:
        """Raises BadInput, which does not repeat the text, unless it is one signer key."""
        name, _, seed = parse_skey(skey, {ED25519: KEY_BYTES})
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if signer.skey() != skey:
            bad_key("signer", "its key id does not belong to it")
        return signer

    def skey(self) -> str:
        """The secret as text, for the keystore file alone."""
        seed = self._key.private_bytes_raw()
        return SKEY_PREFIX + key_text(self.name, self.verifier.key_id, ED25519, seed)

    @property
    def name(self) -> str:
        return self.verifier.name

    def sign(self, text: str) -> Signature:
        """Raises BadInput unless `text` ends in a newline and has no other control characters."""
        if not text.endswith("\n") or _has_control(text):
            raise BadInput(
                "a note's text ends in a newline and holds no other control characters",
                remedy="add the final newline",
            )
        return Signature(self.name, self.verifier.key_id, self._key.sign(text.encode()))

    def __repr__(self) -> str:
        return f"Signer({self.verifier.vkey})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled: its key stays in this process")


def verify_note(note: Note, verifiers: Sequence[V]) -> list[V]:
    """The verifiers that signed `note`, at least one.

    Unknown keys are ignored; one false signature by a known key refuses the
    whole note. Raises EvidenceError ("note.signature" or "note.unsigned").
    """
    signed: list[V] = []
    for signature in note.signatures:
        for verifier in verifiers:
            if verifier.matches(signature):
                verifier.verify(note.text, signature)
                if verifier not in signed:
                    signed.append(verifier)
    if not signed:
        raise EvidenceError(
            "no known key signed this note",
            remedy="compare the verifier key with the one its keeper publishes",
            finding="note.unsigned",
        )
    return signed


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes | None:
    """Standard base64 in its one canonical spelling, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode_base64(data) == text else None


def parse_line(line: str) -> Signature:
    """One signature line, without its newline. Raises EvidenceError ("note.malformed")."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_name(name):
        _malformed("a signature line is '— name base64'")
    blob = decode_base64(encoded)
    if blob is None or len(blob) <= KEY_ID_BYTES:
        _malformed(f"the signature by {name} is not base64 of a key id and a signature")
    return Signature(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """SHA-256(name ‖ "\\n" ‖ signature type ‖ public key)[:4]."""
    named = name.encode() + b"\n" + bytes([kind]) + public_key
    return sha256(named).digest()[:KEY_ID_BYTES]


def key_text(name: str, identity: bytes, kind: int, key: bytes) -> str:
    return f"{name}+{identity.hex()}+{encode_base64(bytes([kind]) + key)}"


def parse_key(text: str, role: str, lengths: Mapping[int, int]) -> tuple[str, int, bytes]:
    """(name, type, key) of a key's text, its id unchecked; `lengths` are those of known types.

    Raises BadInput, which does not repeat the text.
    """
    parts = text.split("+", 2)  # base64 may hold '+', names and key ids may not
    if len(parts) != 3:
        bad_key(role, "it has not the parts name+id+key")
    key = decode_base64(parts[2])
    if not key or len(key) != 1 + lengths.get(key[0], -1):
        known = " or ".join(f"{kind:#04x}" for kind in lengths)
        bad_key(role, f"it is not base64 of a key of type {known}")
    if not is_name(parts[0]):
        bad_key(role, "it has no valid name")
    return parts[0], key[0], key[1:]


def parse_skey(text: str, lengths: Mapping[int, int]) -> tuple[str, int, bytes]:
    """As `parse_key`, for a secret key's text."""
    if not text.startswith(SKEY_PREFIX):
        bad_key("signer", f"it does not begin with {SKEY_PREFIX}")
    return parse_key(text.removeprefix(SKEY_PREFIX), "signer", lengths)


def _decode(data: str | bytes) -> str:
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        length = len(text.encode("utf-8"))
    except UnicodeError:
        _malformed("it is not UTF-8")
    if length > MAX_NOTE_BYTES:
        _malformed(f"{length} bytes are more than {MAX_NOTE_BYTES}")
    if _has_control(text):
        _malformed("it holds control characters")
    return text


def _has_control(text: str) -> bool:
    return any(c < " " and c != "\n" for c in text)


def is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _malformed(why: str) -> NoReturn:
    raise EvidenceError(
        f"this is not a signed note: {why}",
        remedy="fetch the note again from its keeper",
        finding="note.malformed",
    )


def bad_key(role: str, why: str) -> NoReturn:
    raise BadInput(
        f"this is not a {role} key: {why}",
        remedy=f"pass the whole {role} key text, name+id+key",
    )
