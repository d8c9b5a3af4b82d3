"""A look-up answers as a slow reader of the whole log would, whatever befell its index."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import make_payload, make_signer, make_vault
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Decision, PredictionRecord
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
from veridict.ledger.sidefile import BLOCK, FILE
from veridict.privacy.vault import FileVault
from veridict.proofs.merkle import leaf_hash

RECORDS = 2 * BLOCK + 100
LATER = 40
MODELS = [sha256(bytes([n])).digest() for n in range(3)]
REQUESTS = [f"request {n}" for n in range(40)]
SUBJECTS = ["", *(f"subject {n}" for n in range(12))]


def entry(chance: random.Random, number: int) -> Entry:
    """Predictions whose clock goes back now and then, documents, and noise."""
    time_ms = 1_000_000 + 10 * number + chance.choice((0, 0, 0, -5_000, 3_000))
    kind = chance.random()
    if kind < 0.06:
        return Entry(canonical_json({"kind": "note", "n": number, "time_ms": time_ms}))
    if kind < 0.09:
        return Entry(chance.randbytes(chance.choice((1, 128))))
    model = MODELS[0] if number < BLOCK else chance.choice(MODELS)
    record = PredictionRecord(
        Decision.ALLOW, (0, 1, 2), number, time_ms, -1, model, bytes(32), bytes(32)
    )
    payload = make_payload(chance.choice(REQUESTS))
    request = replace(payload.request, subject=chance.choice(SUBJECTS))
    return Entry(record.encode(), None if kind < 0.12 else replace(payload, request=request))


def slow(log: Log, query: Query) -> list[int]:
    """Read everything, keep what fits: the words of `Query`, taken literally."""
    found = []
    for index, (body, payload) in enumerate(zip(log.bodies(), log.payloads(), strict=True)):
        try:
            record: PredictionRecord | None = PredictionRecord.decode(body)
        except BadInput:
            record = None
        time_ms = record.time_ms if record else None
        if body[:7] == b'{"kind"':
            time_ms = int(body.rpartition(b":")[2][:-1])
        fits = [
            query.leaf is None or leaf_hash(body) == query.leaf,
            query.model is None or (record is not None and record.model_id == query.model),
            query.sequences is None
            or (record is not None and query.sequences[0] <= record.sequence <= query.sequences[1]),
            query.times is None
            or (time_ms is not None and query.times[0] <= time_ms <= query.times[1]),
            query.request is None or (payload is not None and payload.request.id == query.request),
            query.subject is None
            or (
                payload is not None
                and (payload.request.subject or payload.request.id) == query.subject
            ),
        ]
        if all(fits):
            found.append(index)
    return found


spans = st.tuples(st.integers(-50, RECORDS + 50), st.integers(0, 400)).map(
    lambda span: (max(0, span[0]), max(0, span[0]) + span[1])
)
queries = st.builds(
    Query,
    leaf=st.none() | st.sampled_from(range(RECORDS)).map(lambda n: n.to_bytes(32, "big")),
    request=st.none() | st.sampled_from([*REQUESTS, "nobody's"]),
    subject=st.none() | st.sampled_from([*SUBJECTS[1:], *REQUESTS[:3], "nobody"]),
    model=st.none() | st.sampled_from([*MODELS, bytes(32)]),
    times=st.none() | spans.map(lambda s: (999_000 + 10 * s[0], 999_000 + 10 * s[1])),
    sequences=st.none() | spans,
)


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with Log.open(path, signer=make_signer(), vault=make_vault(path)) as log:
            log.append([entry(chance, number) for number in range(RECORDS)])
            assert log.find(Query(request=REQUESTS[0])) != []  # so that there is an index
            log.append([entry(chance, number) for number in range(RECORDS, RECORDS + LATER)])
        yield path


@pytest.fixture(
    scope="module", params=["stale", "fresh", "absent", "noise", "cut", "another log's"]
)
def log(request: pytest.FixtureRequest, kept: Path) -> Iterator[Log]:
    """The same log with an index in one state; reopened, so that nothing is remembered."""
    file = kept / FILE
    if request.param == "fresh":
        with Log.open(kept, signer=make_signer(), vault=make_vault(kept)) as opened:
            opened.find(Query(request=REQUESTS[0]))
    elif request.param == "absent":
        file.unlink()
    elif request.param == "noise":
        file.write_bytes(random.Random(1).randbytes(20_000))
    elif request.param == "cut":
        with Log.open(kept, signer=make_signer(), vault=make_vault(kept)) as opened:
            opened.find(Query(request=REQUESTS[0]))
        file.write_bytes(file.read_bytes()[:-5000])
    elif request.param == "another log's":
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE progress SET leaf = x'00'")
            db.execute("DELETE FROM request")
    vault = FileVault.open_readonly(kept / "vault")
    with Log.open_readonly(kept, vault=vault) as opened:
        yield opened


@settings(max_examples=40)
@given(query=queries, start=st.integers(0, RECORDS), most=st.integers(1, 50), newest=st.booleans())
def test_the_index_answers_as_the_log_does(
    log: Log, query: Query, start: int, most: int, newest: bool
) -> None:
    if query.leaf is not None:  # stands for a record's number
        query = replace(query, leaf=log.leaf(int.from_bytes(query.leaf, "big")))
    wanted = [index for index in slow(log, query) if index >= start]
    wanted = (wanted[::-1] if newest else wanted)[:most]
    assert log.find(query, start, most=most, newest=newest) == wanted
    assert log.find(query, start, most=most, newest=newest, scan=True) == wanted


def test_what_is_altered_is_not_found_by_what_it_was(kept: Path, tmp_path: Path) -> None:
    """The index still names it; the log decides."""
    copy = tmp_path / "copy"
    shutil.copytree(kept, copy)
    vault = FileVault.open_readonly(copy / "vault")
    with Log.open_readonly(copy, vault=vault) as log:
        index = next(i for i, body in enumerate(log.bodies()) if len(body) == 128)
        leaf = log.leaf(index)
        assert log.find(Query(leaf=leaf)) == [index]
    with closing(sqlite3.connect(copy / "log.sqlite")) as db, db:
        db.execute("UPDATE record SET body = zeroblob(128) WHERE idx = ?", (index,))
    vault = FileVault.open_readonly(copy / "vault")
    with Log.open_readonly(copy, vault=vault) as log:
        assert log.find(Query(leaf=leaf)) == []


def test_a_span_has_two_ends_in_order() -> None:
    with pytest.raises(BadInput, match="comes after"):
        Query(times=(2, 1))
