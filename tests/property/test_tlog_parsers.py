"""Tiles, bundles, proofs, witness messages, policies: noise is refused by name or survives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import slow_inclusion
from tests.support.tlog import LOG, bodies, cosigned, cosigner, head, policy
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.add_checkpoint import (
    AddCheckpoint,
    encode_cosignatures,
    parse_cosignatures,
    parse_size,
)
from veridict.proofs.merkle import leaf_hash
from veridict.proofs.tlog_policy import Policy
from veridict.proofs.tlog_proof import TlogProof
from veridict.proofs.tlog_tiles import (
    TilePath,
    decode_bundle,
    encode_bundle,
    hashes_at,
    paths_between,
    width_of,
)

ENTRIES = bodies(9)
SIGNED = cosigned(head(ENTRIES), cosigner(1))
PROOF = TlogProof(4, tuple(slow_inclusion(4, ENTRIES)), SIGNED, b"extra")
REQUEST = AddCheckpoint(3, (b"\x01" * 32, b"\x02" * 32), SIGNED)
KNOWN = policy(1, [cosigner(1)])

sizes = st.integers(0, 300) | st.integers(0, 70_000)
pieces = st.lists(
    st.sampled_from(
        ["\n", "\n\n", "— ", " ", "old 3", "index 4", "extra eA==", "c2sp.org/tlog-proof@v1",
         "example.com/x", "7", "x08go/Y=", "A" * 43 + "=", "\x01", "é", "witness", "quorum none"]
    ),
    max_size=20,
).map("".join)  # fmt: skip
noise = st.binary(max_size=200) | pieces.map(str.encode)


def must_be_named(error: EvidenceError) -> None:
    sort = str(error.facts["finding"]).split(".")[0]
    assert sort in {"tlog-proof", "witness", "note", "checkpoint", "bundle"}


@given(st.none() | st.integers(0, 6), st.integers(0, 10**9), st.integers(1, 256))
def test_every_path_survives_its_text(level: int | None, n: int, width: int) -> None:
    if n > (2**64 - 1) >> 8 * ((level or 0) + 1):
        return
    path = TilePath(level, n, width)
    assert TilePath.parse(path.text) == path


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["tile", "/", "0", "00", "entries", "x001", "001", ".p/", "8", "256", "63"]
        ),
        max_size=9,
    ).map("".join)
)
@settings(max_examples=300)
def test_noise_is_no_path_or_its_one_spelling(text: str) -> None:
    try:
        path = TilePath.parse(text)
    except BadInput:
        return
    assert path.text == text


@given(sizes, sizes)
@settings(max_examples=60, deadline=None)
def test_what_is_added_between_two_sizes_is_the_difference_of_their_trees(a: int, b: int) -> None:
    old, new = sorted((a, b))
    have, want = set(paths_between(0, old)), set(paths_between(0, new))
    assert set(paths_between(old, new)) == want - have
    assert all(width_of(path, new) == path.width for path in want)
    assert all(0 < path.width <= 256 for path in want)
    for level in range(3):
        widths = [path.width for path in want if path.level == level]
        assert sum(widths) == hashes_at(level, new)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_every_bundle_survives_its_bytes(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


@given(st.binary(max_size=60), st.integers(1, 5))
@settings(max_examples=300)
def test_noise_is_no_bundle_or_survives(data: bytes, width: int) -> None:
    try:
        entries = decode_bundle(data, width)
    except EvidenceError as error:
        must_be_named(error)
        return
    assert encode_bundle(entries) == data


@given(noise)
@settings(max_examples=300)
def test_noise_is_no_proof_no_request_no_answer(data: bytes) -> None:
    for parse in (TlogProof.parse, AddCheckpoint.parse, parse_cosignatures, parse_size):
        try:
            value = parse(data)
        except EvidenceError as error:
            must_be_named(error)
            continue
        assert encoded(value) == data


def encoded(value: object) -> bytes:
    if isinstance(value, TlogProof):
        return value.encode().encode()
    if isinstance(value, AddCheckpoint):
        return value.encode()
    if isinstance(value, tuple):
        return encode_cosignatures(list(value))
    return f"{value}\n".encode()


@given(noise)
@settings(max_examples=200)
def test_noise_is_no_policy_or_says_the_same_again(data: bytes) -> None:
    try:
        known = Policy.parse(data)
    except BadInput:
        return
    assert Policy.parse(known.encode()) == known


@given(st.integers(0, len(PROOF.encode().encode()) - 1), st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_no_flipped_bit_of_a_proof_verifies_but_in_the_unauthenticated_extra(
    at: int, bit: int
) -> None:
    data = bytearray(PROOF.encode().encode())
    data[at] ^= 1 << bit
    try:
        proof = TlogProof.parse(bytes(data))
        proof.verify(leaf_hash(ENTRIES[4]), KNOWN.verify)
    except EvidenceError:
        return
    assert proof.extra != PROOF.extra
    assert (proof.index, proof.hashes, proof.checkpoint) == (4, PROOF.hashes, PROOF.checkpoint)


@given(st.integers(0, len(REQUEST.encode()) - 1), st.integers(0, 7))
@settings(max_examples=150)
def test_a_flipped_bit_of_a_request_is_refused_or_seen(at: int, bit: int) -> None:
    data = bytearray(REQUEST.encode())
    data[at] ^= 1 << bit
    try:
        request = AddCheckpoint.parse(bytes(data))
    except EvidenceError as error:
        must_be_named(error)
        return
    assert request != REQUEST
    assert request.encode() == bytes(data)


def test_the_proof_is_believed_for_its_leaf_alone() -> None:
    assert PROOF.verify(leaf_hash(ENTRIES[4]), KNOWN.verify).size == 9
    assert LOG.name == SIGNED.checkpoint.origin
    for leaf in (leaf_hash(ENTRIES[3]), b"\x00" * 32):
        with pytest.raises(EvidenceError) as error:
            PROOF.verify(leaf, KNOWN.verify)
        assert error.value.facts["finding"] == "proof.inclusion"
