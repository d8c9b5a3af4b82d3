"""Signed envelopes for any payload: DSSE v1 (github.com/secure-systems-lab/dsse), Ed25519.

What is signed is not the payload but its frame,

    "DSSEv1" SP length(type) SP type SP length(payload) SP payload

(lengths in bytes, decimal), so that a payload cannot be read under another type. Payloads
that are signed here are one line of text, its newline included. The frame is then a note's
text of one line, which the log's key signs as it signs any note; a checkpoint has three lines,
so that neither can pass for the other. `keyid` is the note key id in hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.note import Signature, Signer, Verifier, decode_base64, encode_base64

MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """Nothing is verified yet. `signatures` are (key id, signature)."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def encode(self) -> bytes:
        """The envelope as JSON, one line."""
        return canonical_json(
            {
                "payload": encode_base64(self.payload),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": key_id, "sig": encode_base64(signature)}
                    for key_id, signature in self.signatures
                ],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """Raises EvidenceError ("dsse.malformed") unless `data` is an envelope."""
        if len(data) > MAX_BYTES:
            _malformed(f"it is longer than {MAX_BYTES} bytes")
        try:
            found: Any = parse_json(data)
            payload = decode_base64(found["payload"])
            signatures = [
                (str(item.get("keyid", "")), decode_base64(item["sig"]))
                for item in found["signatures"]
            ]
            payload_type = found["payloadType"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise _wrong(f"it is no envelope ({type(problem).__name__})") from problem
        if payload is None or not isinstance(payload_type, str) or not signatures:
            _malformed("its payload, type or signatures are missing")
        known = tuple((key_id, sig) for key_id, sig in signatures if sig is not None)
        if len(known) != len(signatures):
            _malformed("a signature is not base64")
        return cls(payload_type, payload, known)


def frame(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed (PAE in the specification).

    >>> frame("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(signer: Signer, payload_type: str, payload: bytes) -> Envelope:
    """Raises BadInput unless `payload` is one line of UTF-8 text."""
    try:
        text = frame(payload_type, payload).decode()
    except UnicodeDecodeError:
        text = ""
    if text.count("\n") != 1 or not text.endswith("\n"):
        raise BadInput(
            "a payload that is signed here is one line of text",
            remedy="sign canonical JSON and a newline",
        )
    made = signer.sign(text)
    return Envelope(payload_type, payload, ((made.key_id.hex(), made.signature),))


def verify(envelope: Envelope, verifiers: Sequence[Verifier]) -> list[Verifier]:
    """Those of `verifiers` that signed it, or EvidenceError ("dsse.signature") if none did."""
    signed = [verifier for verifier in verifiers if _signed(envelope, verifier)]
    if not signed:
        raise EvidenceError(
            "no known key signed this envelope",
            remedy="compare the verifier key with the one its keeper publishes",
            finding="dsse.signature",
        )
    return signed


def _signed(envelope: Envelope, verifier: Verifier) -> bool:
    try:
        text = frame(envelope.payload_type, envelope.payload).decode()
    except UnicodeDecodeError:  # no text: not signed by a key that signs only text
        return False
    for _, signature in envelope.signatures:
        try:
            verifier.verify(text, Signature(verifier.name, verifier.key_id, signature))
        except EvidenceError:
            continue
        return True
    return False


def _malformed(why: str) -> NoReturn:
    raise _wrong(why)


def _wrong(why: str) -> EvidenceError:
    return EvidenceError(
        f"this is not a signed envelope: {why}",
        remedy="fetch it again from its keeper",
        finding="dsse.malformed",
    )
