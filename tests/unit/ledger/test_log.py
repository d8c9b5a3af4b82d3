"""The log's face: append, read, prove, sign, look up, remember."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import wait
from contextlib import closing

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_anchor, make_entry, make_payload, slow_root
from veridict.core.errors import BadInput, EvidenceError, NodeRunning, NotFound, StorageFailed
from veridict.core.nouns import RecordState
from veridict.ledger.entry import MAX_BODY_BYTES, Entry
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
from veridict.ledger.verify import check_log
from veridict.proofs.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from veridict.proofs.note import Signer


def test_an_empty_log_has_the_empty_root_and_can_be_signed(kept: Kept) -> None:
    with kept.open() as log:
        assert (log.size, log.root()) == (0, EMPTY_ROOT)
        assert log.checkpoint().size == 0
        assert list(log.bodies()) == []
        assert check_log(log) == []


def test_what_is_appended_is_read_back_after_reopening(kept: Kept) -> None:
    entries = [make_entry(f"p{i}") for i in range(700)]
    with kept.open() as log:
        at = log.append(entries)
        assert (at.first_index, at.count) == (0, 700)
        assert log.append([Entry(b"no payload")]).first_index == 700
    with kept.open() as log:
        assert log.size == 701
        assert list(log.bodies(0, 700)) == [e.body for e in entries]
        assert list(log.payloads()) == [*(e.payload for e in entries), None]
        assert log.body(3) == entries[3].body
        assert log.payload(3) == entries[3].payload
        assert log.payload(700) is None
        assert list(log.payloads(698, 701)) == [entries[698].payload, entries[699].payload, None]


def test_proofs_of_a_log_of_many_tiles_verify(kept: Kept) -> None:
    bodies = [b"%d" % i for i in range(66_000)]  # two full levels of tiles and a third
    with kept.open() as log:
        for start in range(0, len(bodies), 6000):
            log.append([Entry(body) for body in bodies[start : start + 6000]])
        assert log.root() == slow_root(bodies)
        for size in (1, 255, 256, 257, 4096, 65_535, 65_536, 65_537, 66_000):
            root = log.root(size)
            for index in {0, size // 3, size - 1}:
                proof = log.inclusion_proof(index, size)
                verify_inclusion(index, size, leaf_hash(bodies[index]), proof, root)
            verify_consistency(size, 66_000, root, log.root(), log.consistency_proof(size))


def test_many_callers_share_commits_and_each_gets_its_own_place(kept: Kept) -> None:
    with kept.open() as log:
        futures = {f"c{i}": log.submit([make_entry(f"c{i}")]) for i in range(500)}
        wait(futures.values())
        places = {future.result().first_index: name for name, future in futures.items()}
        assert sorted(places) == list(range(500))
        assert all(log.body(i) == make_entry(name).body for i, name in places.items())


def test_coroutines_append(kept: Kept) -> None:
    async def many(log: Log) -> list[int]:
        places = await asyncio.gather(*(log.append_async([make_entry(f"{i}")]) for i in range(99)))
        return [at.first_index for at in places]

    with kept.open() as log:
        assert sorted(asyncio.run(many(log))) == list(range(99))
        assert asyncio.run(many(log))[0] >= 99  # another loop, the same log


def test_a_cancelled_coroutine_leaves_the_log_sound(kept: Kept) -> None:
    async def cancelled(log: Log) -> None:
        task = asyncio.create_task(log.append_async([make_entry("x")]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await log.append_async([make_entry("y")])

    with kept.open() as log:
        asyncio.run(cancelled(log))
        assert list(log.bodies()) == [make_entry("x").body, make_entry("y").body]


@pytest.mark.parametrize("body", [b"", bytes(MAX_BODY_BYTES + 1)])
def test_a_body_that_no_bundle_can_hold_is_refused(kept: Kept, body: bytes) -> None:
    with kept.open() as log:
        with pytest.raises(BadInput):
            log.append([make_entry("good"), Entry(body)])
        with pytest.raises(BadInput):
            log.append([])
        assert log.size == 0
        log.append([Entry(bytes(MAX_BODY_BYTES))])


def test_a_second_writer_is_refused_and_a_reader_is_not(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a")])
        with pytest.raises(NodeRunning):
            kept.open()
        with kept.readonly() as reader:
            assert reader.size == 1
            log.append([make_entry("b")])
            assert reader.size == 2  # it sees what becomes durable
            assert reader.root() == log.root()
            assert reader.verifier == log.verifier
            assert reader.find_request("b") == 1
            for write in (reader.checkpoint, lambda: reader.append([make_entry("c")])):
                with pytest.raises(StorageFailed, match="read-only"):
                    write()
            with pytest.raises(StorageFailed, match="read-only"):
                reader.meta_put("k", b"v")
    kept.open().close()


def test_a_log_is_kept_under_one_key(kept: Kept) -> None:
    kept.open().close()
    with pytest.raises(BadInput, match="PeterNeumann"):
        kept.open(signer=Signer.generate("PeterNeumann"))
    kept.open().close()  # the refused attempt holds no lock


def test_ranges_beyond_the_log_are_refused(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a")])
        for missing in (-1, 1):
            with pytest.raises(NotFound):
                log.body(missing)
            with pytest.raises(NotFound):
                log.payload(missing)
            with pytest.raises(NotFound):
                log.state(missing)
        for call in (
            lambda: log.root(2),
            lambda: log.inclusion_proof(1, 1),
            lambda: log.inclusion_proof(0, 2),
            lambda: log.consistency_proof(0, 1),
            lambda: list(log.bodies(1, 0)),
            lambda: list(log.payloads(0, 2)),
        ):
            with pytest.raises(BadInput):
                call()


# -- heads -------------------------------------------------------------------------------------


def test_checkpoints_are_signed_stored_and_not_repeated(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a")])
        first = log.checkpoint()
        assert log.checkpoint() == first
        log.append([make_entry("b")])
        second = log.checkpoint()
        assert log.checkpoints() == [first, second]
        assert log.last_checkpoint() == second
        assert second.verify(log.verifier, log.origin).root == log.root(2)
        verify_consistency(1, 2, first.root, second.root, log.consistency_proof(1, 2))
    with kept.open() as log:
        assert log.checkpoints() == [first, second]


def test_a_clock_that_goes_back_neither_stops_nor_reorders_the_log(kept: Kept) -> None:
    times = iter([5000, 4000, 4000, 1])
    with kept.open(clock=lambda: next(times)) as log:
        for size in (1, 2, 3, 4):
            log.append([make_entry(str(size))])
            log.checkpoint()
        assert [head.size for head in log.checkpoints()] == [1, 2, 3, 4]
        assert check_log(log) == []


def test_a_log_that_does_not_extend_its_last_checkpoint_signs_nothing(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a"), make_entry("b")])
        log.checkpoint()
    # as an old backup would leave it
    kept.change("UPDATE tile SET hashes = substr(hashes, 1, 32)")
    kept.change("DELETE FROM record WHERE idx = 1")
    kept.change("DELETE FROM payload WHERE idx = 1")
    with kept.open() as log:
        assert log.size == 1
        with pytest.raises(EvidenceError) as caught:
            log.checkpoint()
        assert caught.value.facts["finding"] == "log.forked"
        log.append([make_entry("another b")])
        with pytest.raises(EvidenceError):
            log.checkpoint()
        assert [f.code for f in check_log(log)] == ["log.forked"]


def test_a_record_s_life_goes_forward_and_back(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a"), make_entry("b")])
        assert log.state(0) is RecordState.DURABLE
        log.checkpoint()
        assert log.state(1) is RecordState.CHECKPOINTED
        anchor = make_anchor(1, block=10)
        log.put_anchor(anchor)
        assert log.state(0) is RecordState.ANCHORED
        assert log.state(1) is RecordState.CHECKPOINTED  # the anchored tree has one record
        assert log.state(0, {1: 9}) is RecordState.ANCHORED
        assert log.state(0, {1: 10}) is RecordState.FINAL
        assert log.state(0, {2: 10}) is RecordState.ANCHORED  # another chain's finality
        assert log.state(0, lambda chain: 11 if chain == 1 else None) is RecordState.FINAL
        assert log.drop_anchor(anchor) is True
        assert log.drop_anchor(anchor) is False
        assert log.state(0, {1: 10}) is RecordState.CHECKPOINTED
        again = make_anchor(1, block=12)
        log.put_anchor(again)
        assert log.drop_anchor(anchor) is False  # the old block's anchor is not the new one
        assert log.anchors() == [again]
    with kept.open() as log:
        assert log.anchors() == [again]


def test_a_larger_anchor_covers_smaller_records_and_the_earliest_block_counts(
    kept: Kept,
) -> None:
    with kept.open() as log:
        log.append([make_entry("a"), make_entry("b")])
        log.put_anchor(make_anchor(1, block=5))
        log.put_anchor(make_anchor(2, block=9))
        assert log.state(0, {1: 5}) is RecordState.FINAL
        assert log.state(1, {1: 5}) is RecordState.ANCHORED


# -- look up and remember ------------------------------------------------------------------------


def test_requests_are_found_and_the_side_file_is_expendable(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry(f"p{i}") for i in range(50)])
        assert log.find_request("p7") == 7
        log.append([Entry(b"none"), make_entry("late"), make_entry("p7")])
        assert log.find_request("late") == 51
        assert log.find_request("p7") == 7  # the first of two
        assert log.find_request("nobody") is None
        assert log.find_requests([]) == []
        assert log.find_requests(["nobody", "p7", "late"]) == [None, 7, 51]
        assert log.find_requests(["p7", "nobody", "p7"]) == [7, None, 7]
        many = [f"p{i}" for i in range(1_200)]
        assert log.find_requests(many) == [*range(50), *[None] * 1_150]
    (kept.directory / "lookup.sqlite").write_bytes(
        b"not a database, and longer than a header" * 100
    )
    with kept.readonly() as log:
        assert log.find_requests(["p49", "p50"]) == [49, None]
    with kept.open() as log:
        assert log.find_requests(["p49", "p50"]) == [49, None]
    (kept.directory / "lookup.sqlite").unlink()
    with kept.readonly() as log:
        assert log.find_request("late") == 51


def test_a_lying_side_file_finds_nothing_false(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a"), make_entry("b")])
        assert log.find_request("a") == 0
    with closing(sqlite3.connect(kept.directory / "lookup.sqlite")) as db, db:
        db.execute("UPDATE request SET idx = 1 - idx")
    db.close()
    with kept.open() as log:
        assert log.find_request("a") is None


def test_the_side_file_does_not_hold_the_ids(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a-telling-name")])
        assert log.find_request("a-telling-name") == 0
    assert b"telling" not in (kept.directory / "lookup.sqlite").read_bytes()


def test_meta_values_survive(kept: Kept) -> None:
    with kept.open() as log:
        assert log.meta_get("deployment") is None
        log.meta_put("deployment", b"\x00\x01")
        log.meta_put("deployment", b"\x02")
    with kept.readonly() as log:
        assert log.meta_get("deployment") == b"\x02"


def test_a_closed_log_takes_nothing(kept: Kept) -> None:
    log = kept.open()
    last = log.submit([make_entry("a")])
    log.close()
    assert last.result().first_index == 0  # what was submitted is committed
    with pytest.raises(StorageFailed, match="closed"):
        log.append([make_entry("b")])


def test_a_payload_too_long_to_store_fails_its_caller_alone(kept: Kept) -> None:
    with kept.open() as log:
        with pytest.raises(BadInput):
            log.append([Entry(b"x", make_payload("n" * 70_000))])
        assert log.append([make_entry("next")]).first_index == 0


def of_subject(log: Log, subject: str, below: int, most: int) -> list[int]:
    return log.find(Query(subject=subject), 0, below, most=most, newest=True)[::-1]


def test_records_of_a_subject_are_found_and_checked(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry(name) for name in ("a", "b", "a", "c", "a")])
        assert of_subject(log, "subject of a", 5, 9) == [0, 2, 4]
        assert of_subject(log, "subject of a", 4, 9) == [0, 2]
        assert of_subject(log, "subject of a", 5, 2) == [2, 4]
        assert of_subject(log, "subject of nobody", 5, 9) == []
        assert of_subject(log, "", 5, 9) == []
        log.append([make_entry("a")])
        assert of_subject(log, "subject of a", 6, 9) == [0, 2, 4, 5]
    lookup = kept.directory / "lookup.sqlite"
    for content in (b"no database", None):
        lookup.unlink() if content is None else lookup.write_bytes(content)
        for suffix in ("-wal", "-shm"):
            lookup.with_name(lookup.name + suffix).unlink(missing_ok=True)
        with kept.readonly() as reader:
            assert of_subject(reader, "subject of a", 6, 9) == [0, 2, 4, 5]
    with kept.open() as log:
        assert of_subject(log, "subject of a", 5, 2) == [2, 4]


def test_a_lookup_file_of_another_release_is_made_anew(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry("a")])
        assert log.find_request("a") == 0
    with closing(sqlite3.connect(kept.directory / "lookup.sqlite")) as db:
        db.execute("PRAGMA user_version = 1")
    with kept.readonly() as reader:
        assert reader.find_request("a") == 0
    with kept.open() as log:
        assert of_subject(log, "subject of a", 1, 1) == [0]
