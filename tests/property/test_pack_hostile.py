"""Damaged packs: each is refused by name or has a named finding, and none ends the reader.

Bytes are damaged as a stranger would damage them: nothing passes. Members are damaged as the
keeper would, who signs what he writes: whatever they say is read or named. Ten thousand of the
one and some hundreds of the other in `make test`, many more in `make test-all`.
"""

from __future__ import annotations

import random
import tempfile
import tracemalloc
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.packs import HEAD, Members, repacked, trusting, verified
from tests.support.small_pack import OPERATOR, PLACES, SIGNER, small_pack
from veridict.core.errors import EvidenceError
from veridict.core.nouns import Payload, Request
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.services.pack import layout, manifest
from veridict.services.pack.answers import Standing
from veridict.services.pack.layout import About, Claim, State
from veridict.services.pack.reading import Pack

ROUNDS, SIGNED_ROUNDS = 10_000, 120
SHARDS, SHARD_ROUNDS, SHARD_SIGNED_ROUNDS = 5, 20_000, 2_000
TELLING = (0, 1, 255, 256, 2**16 - 1, 2**31, 2**32 - 1)
PIECES = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"../", b"\n", b'"', b"{", b"]", b"9" * 20, b"-1", b"\0")
KEY = trusting(SIGNER.verifier)


@cache
def whole() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return repacked(small_pack(), Path(directory) / "p.zip", SIGNER).read_bytes()


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Never empty, never `data` itself."""
    damaged = bytearray(data)
    kind, at = rng.random(), rng.randrange(len(data))
    if kind < 0.05:
        damaged = damaged[: max(1, at)]
    elif kind < 0.1:
        damaged += rng.randbytes(rng.choice((1, 22, 46, 300)))
    elif kind < 0.2:  # a piece dropped or doubled
        size = rng.choice((1, 4, 30, 46, 256))
        damaged[at : at + size] = bytes(damaged[at : at + size]) * rng.choice((0, 2))
    elif kind < 0.35:  # a field set to what might be a limit
        width = rng.choice((1, 2, 4))
        value = rng.choice(TELLING) % 256**width
        damaged[at : at + width] = value.to_bytes(width, rng.choice(("big", "little")))
    elif kind < 0.45:
        piece = rng.choice(PIECES)
        damaged[at : at + rng.choice((0, len(piece)))] = piece
    elif kind < 0.55:  # two pieces change places
        other, size = rng.randrange(len(data)), rng.choice((1, 32, 46))
        one, two = bytes(damaged[at : at + size]), bytes(damaged[other : other + size])
        damaged[at : at + len(two)] = two
        damaged[other : other + len(one)] = one
    else:
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    if not damaged or bytes(damaged) == data:
        return data[:-1]
    return bytes(damaged)


def named(error: EvidenceError) -> bool:
    return "." in str(error.facts.get("finding"))


def noticed(data: bytes) -> bool:
    """Refused, or something is found. Anything else that is raised is an error."""
    try:
        with Pack(BytesIO(data)) as pack:
            pack.check_members(SIGNER.verifier)
            return bool(pack.findings)
    except EvidenceError as refused:
        return named(refused)


def fuzz_bytes(seed: int, rounds: int) -> None:
    rng = random.Random(seed)
    for turn in range(rounds):
        damaged = mutated(rng, whole())
        assert noticed(damaged), f"seed {seed}, turn {turn}: taken for a whole one"


def test_the_whole_one_is_whole() -> None:
    assert not noticed(whole())
    assert verified(BytesIO(whole()), KEY).standing is Standing.IN_PART


@pytest.mark.slow
def test_no_damaged_byte_goes_unnoticed() -> None:
    fuzz_bytes(0, ROUNDS)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(1, SHARDS + 1))
def test_many_more_damaged_bytes(shard: int) -> None:
    fuzz_bytes(shard, SHARD_ROUNDS)


def test_bytes_of_every_member_and_header_matter() -> None:
    data = whole()
    for at in range(0, len(data), 41):
        assert noticed(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]), f"byte {at}"


def fuzz_members(seed: int, rounds: int, path: Path) -> None:
    """The keeper writes what he likes and signs it: the report says what it makes of that."""
    rng, source = random.Random(seed), small_pack()
    names = [n for n in source if n not in (layout.SUMS, layout.STATEMENT) and source[n]]
    for _ in range(rounds):
        members: Members = dict(source)
        for name in rng.sample(names, rng.choice((1, 1, 2))):
            members[name] = mutated(rng, members[name])
        try:
            report = verified(repacked(members, path, SIGNER), KEY)
        except EvidenceError as refused:
            if not named(refused):
                raise
            continue
        assert len(report.answers) == 11
        for answer in report.answers:
            assert all("." in finding.code for finding in answer.findings)


def test_members_that_the_keeper_damaged_are_read_or_named(tmp_path: Path) -> None:
    fuzz_members(0, SIGNED_ROUNDS, tmp_path / "p.zip")


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(1, SHARDS + 1))
def test_many_more_members_that_the_keeper_damaged(tmp_path: Path, shard: int) -> None:
    fuzz_members(shard, SHARD_SIGNED_ROUNDS, tmp_path / "p.zip")


def test_a_pack_that_promises_much_costs_little(tmp_path: Path) -> None:
    """A head and a description of 2^50 records, signed, in a file of some kilobytes."""
    size = 2**50
    about = msgspec.structs.replace(
        About.decode(small_pack()[layout.ABOUT]), size=size, opened=(0, size)
    )
    head = SignedCheckpoint.sign(Checkpoint(SIGNER.name, size, bytes(32)), SIGNER)
    members = {**small_pack(), layout.ABOUT: about.encode(), HEAD: head.text.encode()}
    data = repacked(members, tmp_path / "p.zip", SIGNER).read_bytes()
    tracemalloc.start()
    try:
        with pytest.raises(EvidenceError, match="cannot hold") as refused:
            Pack(BytesIO(data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.facts["finding"] == "pack.about"
    assert peak < 4 << 20


# -- the parsers of its parts ----------------------------------------------------------------

noise = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [b"\0", b"\1", b"\2", b"\0\0\0\1", b"[]\n", b'{"', b"}", b",", b"a" * 64, b"  "]
    )
).map(b"".join)


def survives(parse: Callable[[bytes], object], encode: Callable[..., bytes], data: bytes) -> None:
    try:
        value = parse(data)
    except EvidenceError as error:
        if not named(error):
            raise
        return
    assert encode(value) == data


@given(noise)
@settings(max_examples=300)
def test_noise_is_no_part_of_a_pack_or_survives(data: bytes) -> None:
    survives(About.decode, About.encode, data)
    survives(layout.decode_anchors, layout.encode_anchors, data)
    survives(layout.decode_claims, layout.encode_claims, data)
    survives(manifest.decode_sums, lambda sums: manifest.encode_sums(list(sums.items())), data)
    with pytest.raises(EvidenceError):
        manifest.check(data, b"sums", SIGNER.verifier)


@given(noise, st.integers(0, 300))
@settings(max_examples=300)
def test_noise_is_no_payloads_or_holds_as_many_as_are_due(data: bytes, width: int) -> None:
    try:
        states = layout.decode_payloads(data, width)
    except EvidenceError as error:
        if error.facts["finding"] != "payloads.malformed":
            raise
        return
    assert len(states) == width


payloads = st.builds(
    lambda name, content: Payload(Request(name, "", 0, content), b"\1" * 32, b"", b"\2" * 32),
    st.text(max_size=20),
    st.binary(max_size=50),
)


@given(st.lists(st.sampled_from([State.NONE, State.WITHHELD]) | payloads, max_size=40))
def test_every_page_of_payloads_survives(states: list[State | Payload]) -> None:
    data = layout.encode_payloads(states)
    found = layout.decode_payloads(data, len(states))
    assert [layout.open_payload(s) if isinstance(s, bytes) else s for s in found] == states


@given(st.integers(0, 2**53 - 1), st.text(max_size=20), st.integers(0, 2**40))
def test_every_description_survives(size: int, name: str, since: int) -> None:
    about = About(
        layout.FORMAT, name, "k", OPERATOR, size, (0, size), PLACES, since, [], [OPERATOR]
    )
    assert About.decode(about.encode()) == about


@given(st.lists(st.builds(Claim, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9),
                          st.text(max_size=9), st.integers(0, 99)), max_size=5))  # fmt: skip
def test_every_list_of_measures_survives(claims: list[Claim]) -> None:
    assert layout.decode_claims(layout.encode_claims(claims)) == claims
