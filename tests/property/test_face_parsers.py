"""Envelopes, statements, cards, published files, HTTP bodies: noise and damage are refused by name.

`test_proof_parsers` and `test_tlog_parsers` have notes, checkpoints, tiles, proofs, policies and
witness messages; `test_records` and `test_receipt` theirs; `test_pack_hostile` packs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.asgi import client
from tests.support.ledger import make_signer
from tests.support.packs import tree_members
from tests.support.small_node import SmallNode
from tests.support.small_pack import small_pack
from tests.support.tlog import LOG, bodies, head
from veridict.apps.web.app import create_app
from veridict.apps.web.witness import create_witness_app
from veridict.core.errors import BadInput, EvidenceError
from veridict.ledger.published import PublishedLog
from veridict.models.card import ModelCard
from veridict.models.papers.croissant import read_croissant
from veridict.models.papers.statement import Statement
from veridict.proofs import dsse
from veridict.proofs.add_checkpoint import AddCheckpoint
from veridict.proofs.cosignature import Kind
from veridict.services.witness.desk import known_logs
from veridict.services.witness.opening import open_witness

SIGNER = make_signer()
TOKEN = "a-token-of-some-length"
ENVELOPE = dsse.sign(SIGNER, "text/plain", b'{"told":[1,2,3]}\n').encode()
STATEMENT = Statement.over("pack", {"a": b"1", "b/c": b"2"}, (".git",)).encode()
CARD = next(data for name, data in small_pack().items() if name.endswith("card.json"))
CROISSANT = files("veridict.solutions.finance").joinpath("data", "amlsim.croissant.json")

json_noise = st.lists(
    st.sampled_from(
        ['{"', '":', "[", "]", "}", ",", "null", "1e999", "-1", '"a"', "\\ud800", "é", "\0", " "]
    ),
    max_size=25,
).map(lambda parts: "".join(parts).encode())
noise = st.binary(max_size=200) | json_noise
places = st.tuples(st.integers(0, 10**6), st.integers(0, 7))


def flipped(data: bytes, place: tuple[int, int]) -> bytes:
    at, bit = place[0] % len(data), place[1]
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def finding(error: EvidenceError) -> str:
    return str(error.facts["finding"])


# -- what is signed about models and packs -----------------------------------------------------


@given(noise | places.map(lambda place: flipped(ENVELOPE, place)))
@example(b'{"payload":"","payloadType":"t","signatures":[{"keyid":5,"sig":""}]}')
@settings(max_examples=250)
def test_no_envelope_but_the_signed_one_is_believed(data: bytes) -> None:
    try:
        envelope = dsse.Envelope.decode(data)
        dsse.verify(envelope, [SIGNER.verifier])
    except EvidenceError as error:
        if finding(error) not in {"dsse.malformed", "dsse.signature"}:
            raise
        return
    signed = dsse.Envelope.decode(ENVELOPE)
    assert (envelope.payload_type, envelope.payload) == (signed.payload_type, signed.payload)


@given(noise | places.map(lambda place: flipped(STATEMENT, place)))
@settings(max_examples=250)
def test_a_statement_agrees_with_itself_or_is_refused(data: bytes) -> None:
    try:
        statement = Statement.decode(data)
    except EvidenceError as error:
        if finding(error) != "statement.malformed":
            raise
        return
    again = Statement.decode(statement.encode())
    assert again.root == statement.root


@given(noise | places.map(lambda place: flipped(CARD, place)))
@settings(max_examples=250)
def test_a_card_has_one_spelling_or_is_refused(data: bytes) -> None:
    try:
        card = ModelCard.decode(data)
    except BadInput:
        return
    assert card.encode() == data


@given(noise | places.map(lambda place: flipped(CROISSANT.read_bytes(), place)))
@settings(max_examples=200)
def test_a_description_of_data_is_read_or_refused(data: bytes) -> None:
    try:
        source = read_croissant(data)
    except BadInput:
        return
    assert source == replace(source)  # its own checks hold


# -- a published log ---------------------------------------------------------------------------

ENTRIES = bodies(300)


@cache
def published() -> Mapping[str, bytes]:
    found = {n.removeprefix("log/"): d for n, d in tree_members(ENTRIES).items()}
    return {**found, "checkpoint": head(ENTRIES).text.encode()}


def problems(copy: Mapping[str, bytes]) -> list[str]:
    """The names of all that is wrong with a copy; an error without a name goes through."""
    try:
        log = PublishedLog(copy.get, lambda signed: signed.verify(LOG.verifier, LOG.name))
        found = [each.code for each in log.check()]
        for index in (0, 255, 256, 299):
            log.entry(index)
    except EvidenceError as error:
        return [finding(error)]
    return found


def damaged(rng: random.Random, data: bytes) -> bytes:
    at, kind = rng.randrange(len(data)), rng.random()
    if kind < 0.2:
        return data[:at]
    if kind < 0.4:
        return data + rng.randbytes(rng.choice((1, 32, 300)))
    if kind < 0.6:
        piece = data[at : at + 34]
        return data[:at] + piece * rng.choice((0, 2)) + data[at + 34 :]
    return flipped(data, (at, rng.randrange(8)))


def fuzz_copies(seed: int, rounds: int) -> None:
    rng, names = random.Random(seed), sorted(published())
    assert problems(published()) == []
    for turn in range(rounds):
        name = rng.choice(names)
        changed = damaged(rng, published()[name])
        if changed == published()[name]:
            continue
        found = problems({**published(), name: changed})
        assert found, f"seed {seed}, turn {turn}: {name} was damaged and believed"
        assert all("." in code for code in found), found


def test_every_damaged_file_of_a_published_log_is_named() -> None:
    fuzz_copies(0, 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_many_more_damaged_files_of_a_published_log(seed: int) -> None:
    fuzz_copies(seed, 10_000)


def test_every_lost_or_swapped_file_of_a_published_log_is_named() -> None:
    names = sorted(published())
    for name in names:
        if name != "checkpoint":
            assert problems({n: d for n, d in published().items() if n != name}), name
        for other in names:
            if other != name:
                assert problems({**published(), name: published()[other]}), (name, other)


# -- bodies and paths over HTTP ------------------------------------------------------------------


@cache
def web() -> httpx.Client:
    node = SmallNode()
    node.add("pay-1", 0.0)
    return client(create_app(node, token=TOKEN))


def told_in_shape(reply: httpx.Response) -> bool:
    """Done, or refused in the one shape of errors; never the program's own fault."""
    if reply.status_code == 200:
        return True
    told = msgspec.json.decode(reply.content)
    return 400 <= reply.status_code < 500 and {"error", "message", "remedy"} <= told.keys()


POSTS = ("/api/predictions", "/api/cases/0/release", "/api/cases/99999999/confirm")
spoiled = st.one_of(
    noise,
    st.builds(
        lambda ids, rows: msgspec.json.encode({"ids": ids, "rows": rows}),
        st.lists(st.text(max_size=5) | st.integers(), max_size=3),
        st.lists(st.lists(st.none() | st.floats() | st.text(max_size=3), max_size=3), max_size=3),
    ),
    st.builds(lambda by: msgspec.json.encode({"by": by, "note": by}), st.text(max_size=90)),
)


@given(st.sampled_from(POSTS), spoiled)
@settings(max_examples=120)
def test_no_body_makes_the_api_fail(path: str, body: bytes) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    assert told_in_shape(web().post(path, content=body, headers=bearer))


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
@settings(max_examples=80)
def test_no_path_or_query_makes_the_api_fail(text: str) -> None:
    for path in (f"/api/predictions/{text}", f"/api/predictions?before={text}&decision={text}"):
        try:
            url = httpx.URL(f"http://127.0.0.1:8080{path}")
        except httpx.InvalidURL:
            continue
        reply = web().get(url)
        assert reply.status_code < 500, path


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    house = open_witness(
        tmp_path_factory.mktemp("witness"), "witness.example/w", (Kind.ED25519,),
        known_logs([LOG.verifier]), lambda: 1_700_000_000_000,
    )  # fmt: skip
    yield client(create_witness_app(house.desk))
    house.close()


SIGNED_REQUEST = AddCheckpoint(0, (), head(ENTRIES[:9])).encode()
REFUSALS = {400, 403, 404, 409, 422}


@given(noise | places.map(lambda place: flipped(SIGNED_REQUEST, place)))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damaged_request_is_cosigned(witness: httpx.Client, body: bytes) -> None:
    assert witness.post("/add-checkpoint", content=body).status_code in REFUSALS
