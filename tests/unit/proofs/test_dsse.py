"""Signed envelopes: the specification's frame, and each way in which one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs import dsse
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Note, Signature, Signer

KIND = "application/vnd.in-toto+json"
PAYLOAD = b'{"a":1}\n'


@pytest.fixture
def signer() -> Signer:
    return Signer.generate("example/log")


def test_the_frame_is_the_specifications() -> None:
    # github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors"
    framed = dsse.frame("http://example.com/HelloWorld", b"hello world")
    assert framed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_survives_its_own_spelling(signer: Signer) -> None:
    envelope = dsse.sign(signer, KIND, PAYLOAD)
    assert dsse.Envelope.decode(envelope.encode()) == envelope
    assert dsse.verify(envelope, [signer.verifier]) == [signer.verifier]


def test_a_signature_is_over_payload_and_type(signer: Signer) -> None:
    signed = dsse.sign(signer, KIND, PAYLOAD)
    for altered in (
        dsse.Envelope(KIND, b'{"a":2}\n', signed.signatures),
        dsse.Envelope("text/plain", PAYLOAD, signed.signatures),
        dsse.Envelope(KIND, b"\xff", signed.signatures),
        dsse.Envelope(KIND, PAYLOAD, (("", b"\0" * 64), ("", b"short"))),
    ):
        with pytest.raises(EvidenceError) as refused:
            dsse.verify(altered, [signer.verifier])
        assert refused.value.facts["finding"] == "dsse.signature"


def test_another_keys_signature_does_not_count(signer: Signer) -> None:
    envelope = dsse.sign(Signer.generate("example/log"), KIND, PAYLOAD)
    with pytest.raises(EvidenceError):
        dsse.verify(envelope, [signer.verifier])


@pytest.mark.parametrize("payload", [b"{}", b"{}\n{}\n", b"\xff\n", b"\n\n"])
def test_only_one_line_of_text_is_signed(signer: Signer, payload: bytes) -> None:
    with pytest.raises(BadInput):
        dsse.sign(signer, KIND, payload)


def test_no_envelope_passes_for_a_checkpoint(signer: Signer) -> None:
    envelope = dsse.sign(signer, KIND, PAYLOAD)
    text = dsse.frame(KIND, PAYLOAD).decode()
    line = Signature(signer.name, signer.verifier.key_id, envelope.signatures[0][1])
    note = Note(text, (line,)).encode()
    with pytest.raises(EvidenceError) as refused:
        _ = SignedCheckpoint(note).checkpoint
    assert refused.value.facts["finding"] == "checkpoint.malformed"


def _spoiled(**fields: Any) -> bytes:
    good = {"payload": "e30K", "payloadType": KIND, "signatures": [{"keyid": "", "sig": "AAAA"}]}
    return json.dumps(good | fields).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff",
        _spoiled(payload="e30K="), _spoiled(payload=1), _spoiled(payloadType=None),
        _spoiled(signatures=[]), _spoiled(signatures=[{}]), _spoiled(signatures={}),
        _spoiled(signatures=["x"]), _spoiled(signatures=[{"sig": "~"}]),
        b" " * (dsse.MAX_BYTES + 1),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError) as refused:
        dsse.Envelope.decode(data)
    assert refused.value.facts["finding"] == "dsse.malformed"
