"""Cosignatures: timestamped statements about a checkpoint, as https://c2sp.org/tlog-cosignature.

    0x04  Ed25519     "cosignature/v1\\ntime <seconds>\\n" ‖ the checkpoint's whole text
    0x06  ML-DSA-44   subtree/v1: cosigner name, time, origin, 0, size, root; no extension lines

The signature bytes are the time, big-endian u64 seconds, and then the algorithm's signature.
Witnesses use either; a log may add an ML-DSA-44 signature to its Ed25519 one, never type 0x04.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from veridict.core.errors import BadInput, EvidenceError, MissingPart
from veridict.proofs.checkpoint import Checkpoint
from veridict.proofs.note import (
    ED25519,
    SKEY_PREFIX,
    NoteVerifier,
    Signature,
    Verifier,
    bad_key,
    is_name,
    key_id,
    key_text,
    parse_key,
    parse_skey,
)

MAX_TIME_S = 2**63 - 1  # "It MUST NOT exceed 2^63 - 1"
_TIME = struct.Struct(">Q")
_LABEL = b"subtree/v1\n\0"
_MAX_NAME = 255  # opaque <1..2^8-1>
_SEED_BYTES = 32  # of either algorithm


class Kind(IntEnum):
    """The signature type byte of a key."""

    ED25519 = 0x04
    ML_DSA_44 = 0x06

    @property
    def word(self) -> str:
        return {Kind.ED25519: "ed25519", Kind.ML_DSA_44: "ml-dsa-44"}[self]


KEY_BYTES = {Kind.ED25519: 32, Kind.ML_DSA_44: 1312}
_SIGNATURE_BYTES = {Kind.ED25519: 64, Kind.ML_DSA_44: 2420}


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """A cosigner's public key under its name; a `NoteVerifier`."""

    name: str
    kind: Kind
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name) or len(self.public_key) != KEY_BYTES[self.kind]:
            raise BadInput(
                f"{self.name!r} with {len(self.public_key)} bytes is no {self.kind.word} cosigner",
                remedy="use a name without spaces and '+', and the whole public key",
            )

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind, self.public_key)

    @property
    def vkey(self) -> str:
        return key_text(self.name, self.key_id, self.kind, self.public_key)

    @classmethod
    def from_vkey(cls, vkey: str) -> CosignatureVerifier:
        """Raises BadInput unless `vkey` is exactly one cosigner's verifier key."""
        name, kind, key = parse_key(vkey, "cosigner", {k.value: n for k, n in KEY_BYTES.items()})
        verifier = cls(name, Kind(kind), key)
        if verifier.vkey != vkey:
            bad_key("cosigner", "its key id does not belong to it")
        return verifier

    def matches(self, signature: Signature) -> bool:
        return signature.name == self.name and signature.key_id == self.key_id

    def verify(self, text: str, signature: Signature) -> None:
        """Raises EvidenceError ("note.signature") unless this key cosigned the checkpoint `text`.

        Raises MissingPart where this machine's cryptography has no ML-DSA.
        """
        time_s = time_of(signature, self.kind)
        message = signed_message(self.kind, self.name, time_s, text)
        try:
            _public(self.kind, self.public_key).verify(signature.signature[_TIME.size :], message)
        except (InvalidSignature, ValueError) as error:
            _false(self.name, "does not fit the checkpoint", error)


def time_of(signature: Signature, kind: Kind) -> int:
    """Seconds since the Unix epoch that the cosignature claims. Raises EvidenceError."""
    data = signature.signature
    if len(data) != _TIME.size + _SIGNATURE_BYTES[kind]:
        _false(signature.name, f"has {len(data)} bytes, which no {kind.word} cosignature has")
    time_s: int = _TIME.unpack_from(data)[0]
    if time_s > MAX_TIME_S:
        _false(signature.name, f"claims the impossible time {time_s}")
    return time_s


def signed_message(kind: Kind, name: str, time_s: int, text: str) -> bytes:
    """What a cosigner called `name` signs for the checkpoint `text`. Raises EvidenceError."""
    if kind is Kind.ED25519:
        return f"cosignature/v1\ntime {time_s}\n{text}".encode()
    head = Checkpoint.parse(text)
    if head.extensions:
        # the message leaves them out, so they would ride under a signature that never saw them
        _false(name, "cannot cover the checkpoint's extension lines")
    return b"".join(
        (
            _LABEL,
            _opaque(name),
            _TIME.pack(time_s),
            _opaque(head.origin),
            struct.pack(">QQ", 0, head.size),
            head.root,
        )
    )


class Cosigner:
    """A cosigner's private key under its name. Its text leaves only through `skey`."""

    __slots__ = ("_key", "_seed", "verifier")

    def __init__(self, name: str, kind: Kind, seed: bytes) -> None:
        """`seed`: 32 secret random bytes. Raises BadInput, MissingPart."""
        if len(seed) != _SEED_BYTES:
            bad_key("cosigner's secret", f"it has {len(seed)} bytes")
        self._seed = seed
        self._key = _private(kind, seed)
        self.verifier = CosignatureVerifier(name, kind, self._key.public_key().public_bytes_raw())

    @classmethod
    def from_skey(cls, skey: str) -> Cosigner:
        """Raises BadInput, which does not repeat the text, unless it is one cosigner's key."""
        name, kind, seed = parse_skey(skey, dict.fromkeys([k.value for k in Kind], _SEED_BYTES))
        cosigner = cls(name, Kind(kind), seed)
        if cosigner.skey() != skey:
            bad_key("cosigner's secret", "its key id does not belong to it")
        return cosigner

    def skey(self) -> str:
        """The secret as text, for the keystore file alone."""
        v = self.verifier
        return SKEY_PREFIX + key_text(v.name, v.key_id, v.kind, self._seed)

    @property
    def name(self) -> str:
        return self.verifier.name

    def sign(self, text: str, time_s: int) -> Signature:
        """Cosigns the checkpoint `text` as of `time_s`. Raises BadInput, EvidenceError."""
        if not 0 <= time_s <= MAX_TIME_S:
            raise BadInput(f"{time_s} s is no time to sign at", remedy="set the machine's clock")
        message = signed_message(self.verifier.kind, self.name, time_s, text)
        blob: bytes = _TIME.pack(time_s) + self._key.sign(message)
        return Signature(self.name, self.verifier.key_id, blob)

    def __repr__(self) -> str:
        return f"Cosigner({self.verifier.vkey[:80]})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a cosigner is not pickled: its key stays in this process")


def log_verifier(vkey: str) -> NoteVerifier:
    """A log's key: Ed25519 of c2sp.org/signed-note, or ML-DSA-44. Raises BadInput."""
    known = {ED25519: KEY_BYTES[Kind.ED25519], Kind.ML_DSA_44.value: KEY_BYTES[Kind.ML_DSA_44]}
    _, kind, _ = parse_key(vkey, "log", known)
    return Verifier.from_vkey(vkey) if kind == ED25519 else CosignatureVerifier.from_vkey(vkey)


def _opaque(text: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) <= _MAX_NAME:
        _false(text[:80], f"cannot name {len(data)} bytes: 1 to {_MAX_NAME} are allowed")
    return bytes([len(data)]) + data


def _private(kind: Kind, seed: bytes) -> Any:
    if kind is Kind.ED25519:
        return Ed25519PrivateKey.from_private_bytes(seed)
    return _ml_dsa("MLDSA44PrivateKey", "from_seed_bytes", seed)


def _public(kind: Kind, key: bytes) -> Any:
    if kind is Kind.ED25519:
        return Ed25519PublicKey.from_public_bytes(key)
    return _ml_dsa("MLDSA44PublicKey", "from_public_bytes", key)


def _ml_dsa(type_name: str, maker: str, data: bytes) -> Any:
    """Imported when it is asked for: older releases of cryptography have Ed25519 alone."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return getattr(getattr(mldsa, type_name), maker)(data)
    except (ImportError, UnsupportedAlgorithm) as error:
        raise MissingPart(
            "this installation of cryptography has no ML-DSA-44",
            remedy="pip install --upgrade cryptography, or use Ed25519 keys",
        ) from error


def _false(name: str, why: str, cause: Exception | None = None) -> NoReturn:
    raise EvidenceError(
        f"the cosignature by {name} {why}",
        remedy="the checkpoint or its cosignature was altered: trust neither",
        finding="note.signature",
    ) from cause
