"""Statements: one id, one place; what is acknowledged is logged, and opens its record."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import make_signer, make_vault
from veridict.core.codec import TAG_SAID, commit
from veridict.core.errors import BadInput, Busy, Refused, StorageFailed
from veridict.ledger.log import Log
from veridict.services import ingest as ingesting
from veridict.services.ingest import Ingest
from veridict.services.records import StatementRecord, decode, encode
from veridict.services.statements import MAX_BYTES, Logged, Statement, read_statement

NOW_MS = 1_700_000_000_123


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as log:
        yield log


@pytest.fixture
def ingest(log: Log) -> Iterator[Ingest]:
    with Ingest(log, lambda: NOW_MS) as ingest:
        yield ingest


def said(name: str, more: str = "") -> Statement:
    return read_statement(
        b'{"id": "%s", "subject": "s", "x": "%s"}' % (name.encode(), more.encode())
    )


def test_a_receipt_says_where_it_stands_and_opens_the_record(log: Log, ingest: Ingest) -> None:
    logged = ingest.submit(said("p-1")).result()
    assert logged == Logged("p-1", 0, NOW_MS, logged.salt)
    content = said("p-1").content
    expected = commit(TAG_SAID, bytes.fromhex(logged.salt), content)
    assert decode(log.body(0)) == StatementRecord(expected.hex(), NOW_MS)
    payload = log.payload(0)
    assert payload is not None
    assert (payload.request.id, payload.request.subject) == ("p-1", "s")
    assert payload.request.content == content
    assert content not in log.body(0)


def test_many_at_once_get_a_place_each(log: Log, ingest: Ingest) -> None:
    asked = [ingest.submit(said(f"p-{number}")) for number in range(3000)]
    wait(asked)
    assert sorted(one.result().index for one in asked) == list(range(3000))
    assert log.find_request("p-1234") == asked[1234].result().index


def test_the_same_again_gets_the_same_receipt(log: Log, ingest: Ingest) -> None:
    first = ingest.submit(said("p-1")).result()
    later = ingest.submit(said("p-1")).result()
    assert (first.again, later.again) == (False, True)
    assert (later.index, later.salt, later.time_ms) == (first.index, first.salt, first.time_ms)
    assert log.size == 1


def test_the_same_again_within_one_batch(log: Log, ingest: Ingest) -> None:
    asked = [ingest.submit(said("p-1")) for _ in range(50)]
    receipts = [one.result() for one in asked]
    assert {receipt.index for receipt in receipts} == {0}
    assert sum(not receipt.again for receipt in receipts) == 1
    assert log.size == 1


def test_an_id_with_other_bytes_is_refused_now_and_later(log: Log, ingest: Ingest) -> None:
    asked = [ingest.submit(said("p-1", more)) for more in "abab"]
    kept, other = asked[0].result(), asked[1]
    with pytest.raises(Refused, match="with other bytes") as refused:
        other.result()
    assert refused.value.facts["index"] == kept.index
    assert asked[2].result().index == kept.index
    with pytest.raises(Refused):
        ingest.submit(said("p-1", "b")).result()
    assert log.size == 1


def test_an_id_that_something_else_has_is_refused(tmp_path: Path) -> None:
    from tests.support.ledger import make_entry

    with Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as log:
        log.append([make_entry("p-1")])
        log.append([make_entry("p-2")])
        with Ingest(log, lambda: NOW_MS) as ingest, pytest.raises((Refused, BadInput)):
            ingest.submit(said("p-1")).result()
        assert log.size == 2


def test_what_was_logged_before_is_known_after_reopening(tmp_path: Path) -> None:
    for again in (False, True):
        vault = make_vault(tmp_path)
        with (
            Log.open(tmp_path, signer=make_signer(), vault=vault) as log,
            Ingest(log, lambda: NOW_MS) as ingest,
        ):
            assert ingest.submit(said("p-1")).result().again is again


@settings(max_examples=30)
@given(
    sent=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xy")), max_size=60),
    most=st.integers(1, 9),
)
def test_whatever_is_sent_in_whatever_batches_one_id_has_one_place(
    sent: list[tuple[str, str]], most: int
) -> None:
    """Batches follow each other while the one before is on its way to the disk."""
    with (
        tempfile.TemporaryDirectory() as directory,
        pytest.MonkeyPatch.context() as patched,
        Log.open(Path(directory), signer=make_signer(), vault=make_vault(Path(directory))) as log,
    ):
        patched.setattr(ingesting, "_MAX_BATCH", most)
        patched.setattr(ingesting, "_WORTH_IT", 1)
        with Ingest(log, lambda: NOW_MS) as ingest:
            asked = [ingest.submit(said(*one)) for one in sent]
            wait(asked)
        stands = {
            payload.request.id: (index, payload.request.content)
            for index, payload in enumerate(log.payloads())
            if payload is not None
        }
        assert log.size == len(stands) == len({name for name, _ in sent})
        new = Counter[str]()
        for (name, more), answer in zip(sent, asked, strict=True):
            index, content = stands[name]
            if content == said(name, more).content:
                assert answer.result().index == index
                new[name] += not answer.result().again
            else:
                error = answer.exception()
                assert isinstance(error, Refused)
                assert error.facts["index"] == index
        assert all(count == 1 for count in new.values())


def test_who_waits_for_a_batch_that_fails_is_told_so(tmp_path: Path) -> None:
    """Also those who sent the same id again while it was on its way; then it may be sent anew."""
    begun, free = Event(), Event()

    def stuck(bodies: list[bytes], before: object) -> list[bytes]:
        begun.set()
        free.wait(10)
        raise StorageFailed("the disk is full", remedy="free space")

    finishing = Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path), finish=stuck)
    with finishing, Ingest(finishing, lambda: NOW_MS) as ingest:
        first = ingest.submit(said("p-1"))
        assert begun.wait(10)
        again = [ingest.submit(said("p-1", more)) for more in ("", "other")]
        others = [ingest.submit(said(f"q-{number}")) for number in range(100)]
        free.set()
        for one in (first, *again, *others):
            assert isinstance(one.exception(10), StorageFailed)
    with (
        Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as mended,
        Ingest(mended, lambda: NOW_MS) as ingest,
    ):
        assert ingest.submit(said("p-1", "other")).result().index == 0


def test_coroutines_are_answered_on_their_loop(ingest: Ingest) -> None:
    async def many() -> list[Logged]:
        asked = [ingest.submit_here(said(f"p-{number}")) for number in range(20)]
        return list(await asyncio.gather(*asked))

    assert sorted(receipt.index for receipt in asyncio.run(many())) == list(range(20))


def test_a_full_queue_says_so_and_nothing_is_lost(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "MAX_WAITING", 10)
    stuck = Event()

    def clock() -> int:
        stuck.wait(10)
        return NOW_MS

    with Ingest(log, clock) as ingest:
        asked = [ingest.submit(said(f"p-{number}")) for number in range(10)]
        with pytest.raises(Busy):
            ingest.submit(said("p-11"))
        stuck.set()
        assert sorted(one.result().index for one in asked) == list(range(10))
        assert ingest.submit(said("p-11")).result().index == 10


def test_bytes_that_wait_are_bounded_too(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "MAX_WAITING_BYTES", 100)
    stuck = Event()
    with Ingest(log, lambda: stuck.wait(10) and NOW_MS) as ingest:
        first = ingest.submit(said("p-1", "x" * 200))
        with pytest.raises(Busy):
            ingest.submit(said("p-2"))
        stuck.set()
        assert first.result().index == 0


def test_who_comes_after_closing_is_told(log: Log) -> None:
    ingest = Ingest(log, lambda: NOW_MS)
    waiting = ingest.submit(said("p-1"))
    ingest.close()
    assert waiting.result().index == 0  # what was taken is answered
    with pytest.raises(StorageFailed):
        ingest.submit(said("p-2"))


def test_what_the_log_cannot_do_is_told_to_each_caller(tmp_path: Path) -> None:
    log = Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path))
    with Ingest(log, lambda: NOW_MS) as ingest:
        log.close()
        asked = [ingest.submit(said(f"p-{number}")) for number in range(3)]
        errors = [one.exception() for one in asked]
    assert all(isinstance(error, StorageFailed) for error in errors)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b'{"subject": "s"}',
        b'{"id": ""}',
        b'{"id": 7}',
        b'{"id": "p", "subject": null}',
        b'{"id": "%s"}' % (b"x" * 257),
        b'{"id": "p"} trailing',
        b'{"id": "p", "deep": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id": "p", "deep": ' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b'{"id": "p", "x": "' + b"x" * MAX_BYTES + b'"}',
    ],
)
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        read_statement(content)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 10**15 - 1))
def test_the_short_way_to_write_and_read_is_the_long_way(digest: bytes, time_ms: int) -> None:
    record = StatementRecord(digest.hex(), time_ms)
    assert StatementRecord.body_of(digest, time_ms) == encode(record)
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"statement","said":"%s","time_ms":01}' % (b"0" * 64),
        b'{"kind":"statement","said":"%s","time_ms":1} ' % (b"0" * 64),
        b'{"kind":"statement","said":"%s","time_ms":1}\n' % (b"0" * 64),
        b'{"kind":"statement","time_ms":1,"said":"%s"}' % (b"0" * 64),
    ],
)
def test_what_is_not_canonical_is_not_read(body: bytes) -> None:
    with pytest.raises(BadInput):
        decode(body)
