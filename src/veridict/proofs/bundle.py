"""Sigstore bundles v0.3 around a DSSE envelope, signed by an ECDSA key on P-256.

Tools of the Sigstore family take envelopes in such a bundle and no Ed25519 keys. The key is
named by a hint, SHA-256 of its public PEM in hex; who it belongs to is told elsewhere: nothing
here is sent to a transparency log or certified by anybody. Signatures are deterministic
(RFC 6979), so the same key and payload give the same bytes.

Layout: sigstore/protobuf-specs, `sigstore_bundle.proto`, in its JSON form.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import BadInput, EvidenceError, StorageFailed
from veridict.core.files import SECRET, create_file, must_be_private
from veridict.proofs.dsse import Envelope, frame

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BYTES = 4 << 20


class BundleKey:
    """Never shown: it has no text form but the file it is kept in."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> BundleKey:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load_or_create(cls, path: Path) -> BundleKey:
        """A PEM file, readable by its owner only. Raises StorageFailed or BadInput."""
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                create_file(path, cls.generate()._private_pem(), mode=SECRET)
            must_be_private(path)
            pem = path.read_bytes()
        except OSError as error:
            raise StorageFailed(
                f"the key {path.name} cannot be kept: {error.strerror}",
                remedy="make the folder writable for this user",
            ) from error
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError) as error:
            raise _no_key(path.name) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise _no_key(path.name)
        return cls(key)

    @property
    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        """DER."""
        return self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def _private_pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def __repr__(self) -> str:
        return f"BundleKey({_hint(self.public_pem)[:16]}…)"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Nothing is verified yet. `hint` names the key that is said to have signed."""

    hint: str
    envelope: Envelope

    @classmethod
    def sign(cls, key: BundleKey, payload_type: str, payload: bytes) -> Bundle:
        signature = key.sign(frame(payload_type, payload))
        return cls(_hint(key.public_pem), Envelope(payload_type, payload, (("", signature),)))

    def encode(self) -> bytes:
        """The bundle as JSON, one line."""
        return canonical_json(
            {
                "mediaType": MEDIA_TYPE,
                "verificationMaterial": {"publicKey": {"hint": self.hint}, "tlogEntries": []},
                "dsseEnvelope": parse_json(self.envelope.encode()),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Bundle:
        """Raises EvidenceError ("bundle.malformed", "dsse.malformed") unless `data` is one."""
        if len(data) > MAX_BYTES:
            raise _malformed(f"it is longer than {MAX_BYTES} bytes")
        try:
            found: Any = parse_json(data)
            kind = found["mediaType"]
            hint = found["verificationMaterial"]["publicKey"]["hint"]
            envelope = found["dsseEnvelope"]
            spelled = canonical_json(envelope)
        except (ValueError, TypeError, KeyError, RecursionError, BadInput) as problem:
            raise _malformed(type(problem).__name__) from problem
        if kind != MEDIA_TYPE or not isinstance(hint, str):
            raise _malformed("it is of another kind")
        return cls(hint, Envelope.decode(spelled))

    def verify(self, public_pem: bytes) -> None:
        """Raises EvidenceError ("bundle.signature") unless this key alone signed it."""
        try:
            key = serialization.load_pem_public_key(public_pem)
        except (ValueError, TypeError) as problem:
            raise _unsigned("the key is no PEM") from problem
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise _unsigned("the key is not ECDSA on P-256")
        if self.hint != _hint(public_pem) or len(self.envelope.signatures) != 1:
            raise _unsigned("it names another key, or several")
        ((_, signature),) = self.envelope.signatures
        framed = frame(self.envelope.payload_type, self.envelope.payload)
        try:
            key.verify(signature, framed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as problem:
            raise _unsigned("the signature is another's") from problem


def _hint(public_pem: bytes) -> str:
    return sha256(public_pem).hexdigest()


def _no_key(name: str) -> BadInput:
    return BadInput(
        f"{name} is no private key on P-256",
        remedy="put back a backup of it, or pass an unencrypted PEM file of such a key",
    )


def _malformed(why: str) -> EvidenceError:
    return EvidenceError(
        f"this is not a Sigstore bundle with a public key: {why}",
        remedy="fetch it again from its keeper",
        finding="bundle.malformed",
    )


def _unsigned(why: str) -> EvidenceError:
    return EvidenceError(
        f"this key did not sign the bundle: {why}",
        remedy="compare the key with the one its keeper publishes",
        finding="bundle.signature",
    )
