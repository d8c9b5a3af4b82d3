"""A witness answers by the protocol: one fixture a defect, its status, and nothing cosigned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledger import slow_consistency
from tests.support.tlog import LOG, bodies, cosigner, head
from tests.vectors.test_tlog_texts import RACE_KEY, RACE_ORIGIN, race_requests
from veridict.core.errors import BadInput, NodeRunning, StorageFailed
from veridict.proofs.add_checkpoint import (
    SIZE_TYPE,
    AddCheckpoint,
    Reply,
    parse_cosignatures,
    parse_size,
)
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import Kind, time_of
from veridict.proofs.note import Signature, Signer, Verifier
from veridict.services.witness.desk import known_logs
from veridict.services.witness.opening import House, open_witness

NAME = "witness.example/one"
KNOWN = known_logs([LOG.verifier, cosigner(9, Kind.ML_DSA_44, LOG.name).verifier])
NOW_MS = 1_700_000_000_123


def house(directory: Path, *kinds: Kind) -> House:
    return open_witness(directory, NAME, kinds or (Kind.ED25519,), KNOWN, lambda: NOW_MS)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[House]:
    opened = house(tmp_path / "witness")
    yield opened
    opened.close()


def request(old: int, entries: list[bytes], signer: Signer = LOG) -> AddCheckpoint:
    proof = slow_consistency(old, entries) if old else []
    return AddCheckpoint(old, tuple(proof), head(entries, signer))


def ask(witness: House, asked: AddCheckpoint) -> Reply:
    return witness.desk.add_checkpoint(asked.encode())


def test_a_growing_log_is_cosigned_head_by_head(witness: House) -> None:
    old = 0
    for size in (3, 3, 4, 9):
        asked = request(old, bodies(size))
        reply = ask(witness, asked)
        assert reply.status == 200
        (mark,) = parse_cosignatures(reply.body)
        witness.cosigners[0].verifier.verify(asked.checkpoint.note.text, mark)
        assert time_of(mark, Kind.ED25519) == NOW_MS // 1000
        assert witness.store.head(LOG.name).size == size
        old = size


def test_the_empty_log_is_cosigned(witness: House) -> None:
    assert ask(witness, request(0, [])).status == 200
    assert ask(witness, request(0, bodies(2))).status == 200


def test_both_algorithms_answer_together(tmp_path: Path) -> None:
    both = house(tmp_path, Kind.ED25519, Kind.ML_DSA_44)
    asked = request(0, bodies(3))
    marks = parse_cosignatures(ask(both, asked).body)
    for mark, cosigner_ in zip(marks, both.cosigners, strict=True):
        cosigner_.verifier.verify(asked.checkpoint.note.text, mark)
    both.close()


def altered(asked: AddCheckpoint) -> AddCheckpoint:
    return AddCheckpoint(asked.old_size, (b"\x01" * 32, *asked.proof[1:]), asked.checkpoint)


def falsely_signed() -> AddCheckpoint:
    good = head(bodies(7))
    mark = good.note.signatures[0]
    false = Signature(mark.name, mark.key_id, bytes(64))
    return AddCheckpoint(5, (), good.with_signatures([false]))


def extended() -> AddCheckpoint:
    point = Checkpoint(LOG.name, 7, head(bodies(7)).root, ("more",))
    proof = tuple(slow_consistency(5, bodies(7)))
    return AddCheckpoint(5, proof, SignedCheckpoint.sign(point, LOG))


STRANGER = Signer.generate("example.com/unknown")
DEFECTS = {
    "noise": (b"what?", 400),
    "no old size": (request(5, bodies(7)).encode().removeprefix(b"old 5\n"), 400),
    "a size with a zero in front": (request(5, bodies(7)).encode().replace(b"5", b"05", 1), 400),
    "a negative size": (request(5, bodies(7)).encode().replace(b"5", b"-5", 1), 400),
    "64 hashes": (b"old 5\n" + b"KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64, 400),
    "a hash cut short": (request(5, bodies(7)).encode().replace(b"=\n", b"\n", 1), 400),
    "an oversized body": (b"old 5\n" + b"x" * (1 << 20), 400),
    "no signature": (request(5, bodies(7)).encode().rpartition("— ".encode())[0], 400),
    "an unknown log": (request(0, bodies(7), STRANGER).encode(), 404),
    "a known log's name under another key": (
        request(5, bodies(7), Signer.generate(LOG.name)).encode(), 403),
    "a false signature beside a true one": (falsely_signed().encode(), 403),
    "an old size above the new": (
        AddCheckpoint(7, (), head(bodies(5))).encode(), 400),
    "a rollback": (request(3, bodies(4)).encode(), 409),
    "a replay of an older request": (request(0, bodies(3)).encode(), 409),
    "out of order: from a size it never held": (request(6, bodies(7)).encode(), 409),
    "a split view at the same size": (
        AddCheckpoint(5, (), head(bodies(5, "other"))).encode(), 409),
    "a split view that grew": (request(5, bodies(7, "other")).encode(), 422),
    "an altered proof": (altered(request(5, bodies(7))).encode(), 422),
    "a proof too long": (
        AddCheckpoint(5, (*request(5, bodies(7)).proof, bytes(32)), head(bodies(7))).encode(), 422),
    "a proof from equal sizes": (AddCheckpoint(5, (bytes(32),), head(bodies(5))).encode(), 422),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_has_its_status_and_nothing_is_cosigned(witness: House, defect: str) -> None:
    assert ask(witness, request(0, bodies(5))).status == 200
    body, status = DEFECTS[defect]
    reply = witness.desk.add_checkpoint(body)
    assert (reply.status, "— ".encode() in reply.body) == (status, False), reply
    held = witness.store.head(LOG.name)
    assert (held.size, held.root) == (5, head(bodies(5)).root)
    if status == 409:
        assert reply.kind == SIZE_TYPE
        assert parse_size(reply.body) == 5
    else:
        assert b": " in reply.body  # the finding and why
    assert ask(witness, request(5, bodies(7))).status == 200  # and it goes on


def test_a_first_request_must_bring_no_proof(witness: House) -> None:
    asked = AddCheckpoint(0, (bytes(32),), head(bodies(2)))
    assert ask(witness, asked).status == 422


def test_a_split_view_is_kept_as_evidence(witness: House) -> None:
    ask(witness, request(0, bodies(5)))
    lied = AddCheckpoint(5, (), head(bodies(5, "other")))
    for _ in range(80):
        ask(witness, lied)
    kept = witness.store.evidence()
    assert len(kept) == 64
    assert kept[0].finding == "witness.split-view"
    notes = [SignedCheckpoint(text) for text in (kept[0].held, kept[0].given)]
    for note in notes:
        note.verify(LOG.verifier, LOG.name)
    assert notes[0].root != notes[1].root


def test_only_ml_dsa_refuses_extension_lines(tmp_path: Path) -> None:
    for kind, status in ((Kind.ED25519, 200), (Kind.ML_DSA_44, 400)):
        one = house(tmp_path / kind.word, kind)
        ask(one, request(0, bodies(5)))
        assert ask(one, extended()).status == status
        one.close()


def test_another_implementations_race_ends_without_rollback(tmp_path: Path) -> None:
    logs = known_logs([Verifier(RACE_ORIGIN, bytes.fromhex(RACE_KEY))])
    one = open_witness(tmp_path, NAME, [Kind.ED25519], logs, lambda: NOW_MS)
    first, third, fifth = race_requests()
    assert ask(one, first).status == 200
    assert ask(one, fifth).status == 200
    late = ask(one, third)
    assert (late.status, late.body) == (409, b"5\n")
    one.close()


def test_of_many_requests_at_once_one_wins_and_none_rolls_back(witness: House) -> None:
    ask(witness, request(0, bodies(5)))
    asked = [request(5, bodies(size)) for size in range(6, 14)]
    replies: list[tuple[int, Reply]] = []

    def run(one: AddCheckpoint) -> None:
        replies.append((one.checkpoint.size, ask(witness, one)))

    threads = [threading.Thread(target=run, args=(one,)) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [size for size, reply in replies if reply.status == 200]
    assert len(won) == 1
    assert sorted(reply.status for _, reply in replies) == [200] + [409] * 7
    assert witness.store.head(LOG.name).size == won[0]


def test_it_remembers_after_a_restart_and_keeps_its_key(tmp_path: Path) -> None:
    one = house(tmp_path)
    ask(one, request(0, bodies(5)))
    vkey = one.cosigners[0].verifier.vkey
    with pytest.raises(NodeRunning):
        house(tmp_path)
    one.close()
    again = house(tmp_path)
    assert again.cosigners[0].verifier.vkey == vkey
    assert ask(again, request(0, bodies(5))).status == 409
    again.close()
    (tmp_path / "witness.sqlite").unlink()
    with pytest.raises(StorageFailed, match="is gone"):
        house(tmp_path)


def test_another_file_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "witness.sqlite").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(StorageFailed):
        house(tmp_path)


def test_a_witness_needs_a_log() -> None:
    with pytest.raises(BadInput):
        known_logs([])
