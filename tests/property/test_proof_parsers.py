"""Parsers of notes, checkpoints and keys: noise and every mutation is refused or harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import make_payload, make_signer
from veridict.core.errors import BadInput, EvidenceError
from veridict.core.nouns import Payload, Request
from veridict.ledger.payloads import decode_payload, encode_payload
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.note import Note, Verifier

SIGNER = make_signer()
HEAD = Checkpoint(SIGNER.name, 7, b"\x05" * 32)
SIGNED = SignedCheckpoint.sign(HEAD, SIGNER)

names = st.text(min_size=1, max_size=30).filter(
    lambda t: "+" not in t and not any(c.isspace() or c < " " for c in t) and t.isprintable()
)
lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=40)
near_notes = st.lists(
    st.sampled_from(["\n", "\n\n", "— ", " ", "a", "b.example", "0", "7", "x08go/Y=", "\x01", "é"]),
    max_size=25,
).map("".join)


Text = TypeVar("Text", str, bytes)
Value = TypeVar("Value")


def parsed(parse: Callable[[Text], Value], text: Text, finding: str) -> Value | None:
    """The value, or None where it is refused; refused under another name is an error."""
    try:
        return parse(text)
    except EvidenceError as error:
        if error.facts["finding"] != finding:
            raise
        return None


@given(st.binary(max_size=300) | near_notes.map(str.encode))
@settings(max_examples=400)
def test_noise_is_no_note_or_survives_unchanged(data: bytes) -> None:
    note = parsed(Note.parse, data, "note.malformed")
    if note is None:
        return
    assert note.encode().encode() == data
    assert note.signatures


@given(st.text(max_size=200) | near_notes)
@settings(max_examples=400)
def test_noise_is_no_checkpoint_or_survives_unchanged(text: str) -> None:
    checkpoint = parsed(Checkpoint.parse, text, "checkpoint.malformed")
    if checkpoint is None:
        return
    assert checkpoint.body() == text


@given(lines, st.integers(1, 2**64 - 1), st.binary(min_size=32, max_size=32), st.lists(lines))
def test_every_checkpoint_survives_its_text(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.body()) == checkpoint
    signed = SignedCheckpoint.sign(checkpoint, SIGNER)
    assert signed.verify(SIGNER.verifier, origin) == checkpoint


@given(st.integers(0, len(SIGNED.text.encode()) - 1), st.integers(0, 7))
@settings(max_examples=300)
def test_no_flipped_bit_of_a_signed_checkpoint_verifies(at: int, bit: int) -> None:
    data = bytearray(SIGNED.text.encode())
    data[at] ^= 1 << bit
    try:
        SignedCheckpoint(data.decode("utf-8", errors="replace")).verify(
            SIGNER.verifier, HEAD.origin
        )
    except EvidenceError:
        return
    raise AssertionError("a changed checkpoint was believed")


@given(st.text(max_size=80) | names.map(lambda n: f"{n}+00000000+AAAA"))
def test_noise_is_no_verifier_key(text: str) -> None:
    try:
        Verifier.from_vkey(text)
    except BadInput:
        return
    raise AssertionError("noise was taken for a key")


@given(names, st.binary(min_size=32, max_size=32))
def test_every_verifier_key_survives_its_text(name: str, key: bytes) -> None:
    verifier = Verifier(name, key)
    assert Verifier.from_vkey(verifier.vkey) == verifier


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_noise_is_no_payload(data: bytes) -> None:
    refusal = "payload.malformed" if data else "payload.sealed"
    payload = parsed(decode_payload, data, refusal)
    if payload is None:
        return
    assert encode_payload(payload) == data


@given(
    st.text(max_size=50), st.text(max_size=50), st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=300), st.binary(max_size=300),
)  # fmt: skip
def test_every_payload_survives_its_bytes(
    name: str, subject: str, time_s: int, content: bytes, inputs: bytes
) -> None:
    payload = Payload(Request(name, subject, time_s, content), b"\x01" * 32, inputs, b"\x02" * 32)
    data = encode_payload(payload)
    assert decode_payload(data) == payload


@given(st.integers(0, len(encode_payload(make_payload("p")))))
def test_no_cut_payload_is_read(length: int) -> None:
    whole = encode_payload(make_payload("p"))
    if length == len(whole):
        assert decode_payload(whole) == make_payload("p")
        return
    try:
        decode_payload(whole[:length])
    except EvidenceError:
        return
    raise AssertionError("half a payload was read")
