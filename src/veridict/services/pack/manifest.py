"""What a pack holds, signed: SHA256SUMS, and an in-toto statement on it by the log's key.

SHA256SUMS               "<sha256>  <name>\\n" a member, in the order of the members
statement.intoto.json    DSSE envelope of
    {"_type": …Statement/v1, "predicate": {"files": n, "format": …},
     "predicateType": …, "subject": [{"digest": {"sha256": …}, "name": "SHA256SUMS"}]}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import EvidenceError
from veridict.models.papers.statement import PAYLOAD_TYPE, STATEMENT_TYPE
from veridict.proofs import dsse
from veridict.proofs.note import Signer, Verifier
from veridict.services.pack.layout import FORMAT, SUMS, wrong

PREDICATE_TYPE = "urn:veridict:audit-pack:1"
MAX_SUMS_BYTES = 32 << 20
_LINE = re.compile(rb"([0-9a-f]{64})  ([!-~]{1,200})\n")


def encode_sums(digests: Sequence[tuple[str, str]]) -> bytes:
    """(name, SHA-256 in hex) as `sha256sum` writes them."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests).encode()


def decode_sums(data: bytes) -> dict[str, str]:
    """Name → digest, in order. Raises EvidenceError ("pack.sums")."""
    found: dict[str, str] = {}
    at = 0
    while match := _LINE.match(data, at):
        name = match[2].decode()
        if name in found:
            raise wrong("pack.sums", f"{name} stands twice in {SUMS}")
        found[name] = match[1].decode()
        at = match.end()
    if at != len(data) or not found:
        raise wrong("pack.sums", f"{SUMS} has a line that is none, from byte {at} on")
    return found


def sign(signer: Signer, sums: bytes) -> bytes:
    """The statement on `sums`, signed."""
    return dsse.sign(signer, PAYLOAD_TYPE, _statement(sums)).encode()


def check(data: bytes, sums: bytes, key: Verifier) -> None:
    """Raises EvidenceError: "dsse.malformed", "dsse.signature", or "pack.statement"."""
    envelope = dsse.Envelope.decode(data)
    dsse.verify(envelope, [key])
    if envelope.encode() != data or [k for k, _ in envelope.signatures] != [key.key_id.hex()]:
        raise wrong("pack.statement", "the envelope is not spelled as it is written")
    if envelope.payload_type != PAYLOAD_TYPE:
        raise wrong("pack.statement", f"what is signed is {envelope.payload_type[:80]!r}")
    if envelope.payload != _statement(sums):
        raise wrong("pack.statement", _why(envelope.payload, sums))


def _statement(sums: bytes) -> bytes:
    return b"%b\n" % canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": SUMS, "digest": {"sha256": sha256(sums).hexdigest()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"format": FORMAT, "files": sums.count(b"\n")},
        }
    )


def _why(payload: bytes, sums: bytes) -> str:
    try:
        found: Any = parse_json(payload)
        told = str(found["subject"][0]["digest"]["sha256"])
    except (ValueError, TypeError, KeyError, IndexError, EvidenceError):
        return "what is signed is no statement on a pack"
    return f"the statement is on a {SUMS} of {told[:64]}, not {sha256(sums).hexdigest()}"
