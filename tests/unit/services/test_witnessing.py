"""The log's side: what each kind of witness makes of it, and that nothing it says is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ledger import make_entry, make_signer, make_vault
from tests.support.tlog import TIME_S, bodies, cosigner, head, policy
from veridict.core.errors import PeerUnavailable
from veridict.core.nouns import RecordState
from veridict.ledger.log import Log
from veridict.proofs.add_checkpoint import (
    SIZE_TYPE,
    AddCheckpoint,
    Reply,
    encode_cosignatures,
    encode_size,
)
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.services.witness.desk import known_logs
from veridict.services.witness.opening import House, open_witness
from veridict.services.witnessing import Answer, Post, Witnesses

SIGNER = make_signer()
TEXT = "text/plain"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path / "log", signer=SIGNER, vault=make_vault(tmp_path / "log")) as opened:
        opened.append([make_entry("a"), make_entry("b")])
        yield opened


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    logs = known_logs([SIGNER.verifier])
    opened = open_witness(tmp_path / "w", "w.example", [Kind.ED25519], logs, lambda: TIME_S * 1000)
    yield opened
    opened.close()


def local(house: House) -> Post:
    return lambda url, body: house.desk.add_checkpoint(body)


def witnesses(
    log: Log, post: Post, keys: list[Cosigner], urls: tuple[str, ...] = ("w",)
) -> Witnesses:
    known = policy(1, keys)
    log.expect_witnesses(known)
    return Witnesses(log, known, urls, post, wait_s=5.0)


def test_heads_are_cosigned_one_after_another(log: Log, house: House) -> None:
    told: list[Answer] = []
    group = witnesses(log, local(house), list(house.cosigners))
    group.tell = told.append
    for size in (2, 3, 4):
        signed = group.collect()
        assert signed.size == size
        assert group.policy.satisfied(signed)
        assert log.state(size - 1) is RecordState.WITNESSED
        log.append([make_entry("more")])
    assert [answer.held for answer in told] == [2, 3, 4]
    assert told[0].sentence() == "cosigned 2 records"
    group.close()


def test_the_same_head_is_not_asked_about_twice(log: Log, house: House) -> None:
    told: list[Answer] = []
    group = witnesses(log, local(house), list(house.cosigners))
    group.tell = told.append
    first = group.collect()
    assert group.collect() == first
    assert len(told) == 1
    group.close()


def test_a_client_that_forgot_learns_the_size_from_the_409(log: Log, house: House) -> None:
    witnesses(log, local(house), list(house.cosigners)).collect()
    log.append([make_entry("c")])
    sizes: list[int] = []

    def post(url: str, body: bytes) -> Reply:
        sizes.append(AddCheckpoint.parse(body).old_size)
        return house.desk.add_checkpoint(body)

    again = witnesses(log, post, list(house.cosigners))
    assert again.policy.satisfied(again.collect())
    assert sizes == [0, 2]
    again.close()


def test_a_split_view_is_found_by_the_witness_and_told(log: Log, house: House) -> None:
    lied = AddCheckpoint(0, (), head([b"another", b"history"], SIGNER))
    assert house.desk.add_checkpoint(lied.encode()).status == 200
    group = witnesses(log, local(house), list(house.cosigners))
    group.collect()
    assert finding(group) == "witness.split-view"
    log.append([make_entry("c")])
    group.collect()  # and so it stays: no proof leads from that head to ours
    assert finding(group) == "witness.split-view"
    assert log.state(0) is RecordState.CHECKPOINTED
    group.close()


def test_a_log_that_lost_records_is_told_so(log: Log, house: House) -> None:
    longer = AddCheckpoint(0, (), head(bodies(9), SIGNER))
    assert house.desk.add_checkpoint(longer.encode()).status == 200
    group = witnesses(log, local(house), list(house.cosigners))
    group.collect()
    assert finding(group) == "log.rolled-back"
    group.close()


def finding(group: Witnesses) -> str:
    (answer,) = group.answers.values()
    assert answer.finding is not None
    assert not answer.cosigned
    assert answer.finding.code in answer.sentence()
    return answer.finding.code


W = cosigner(1)


def other_head(_: AddCheckpoint) -> Reply:
    mark = W.sign(head(bodies(3)).note.text, TIME_S)
    return Reply(200, TEXT, encode_cosignatures([mark]))


def stranger(asked: AddCheckpoint) -> Reply:
    mark = cosigner(7).sign(asked.checkpoint.note.text, TIME_S)
    return Reply(200, TEXT, encode_cosignatures([mark]))


LIARS: dict[str, tuple[Callable[[AddCheckpoint], Reply], str]] = {
    "cosigns another head": (other_head, "note.signature"),
    "answers with an unknown key": (stranger, "witness.unknown-key"),
    "answers with noise": (lambda _: Reply(200, TEXT, b"yes\n"), "note.malformed"),
    "answers with nothing": (lambda _: Reply(200, TEXT, b""), "witness.malformed"),
    "answers without end": (lambda _: Reply(200, TEXT, b"x" * (1 << 20)), "witness.malformed"),
    "holds no number": (lambda _: Reply(409, SIZE_TYPE, b"many\n"), "witness.malformed"),
    "holds the size it was told": (
        lambda a: Reply(409, SIZE_TYPE, encode_size(a.old_size)), "witness.split-view"),
    "holds more than there is": (
        lambda _: Reply(409, SIZE_TYPE, encode_size(2**63)), "log.rolled-back"),
}  # fmt: skip
FAILING = {
    "knows no such log": Reply(404, TEXT, b"who?"),
    "knows another key": Reply(403, TEXT, b"no"),
    "finds it malformed": Reply(400, TEXT, b"\xff"),
    "has trouble": Reply(500, TEXT, b""),
    "conflicts without a size": Reply(409, TEXT, b"3\n"),
    "refuses a proof it did not get": Reply(422, TEXT, b""),
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_lying_witness_is_a_finding_and_nothing_of_it_is_kept(log: Log, liar: str) -> None:
    answer, code = LIARS[liar]
    group = witnesses(log, lambda url, body: answer(AddCheckpoint.parse(body)), [W])
    signed = group.collect()
    assert len(signed.note.signatures) == 1
    assert finding(group) == code
    group.close()


@pytest.mark.parametrize("failure", FAILING)
def test_a_failing_witness_is_a_problem_told(log: Log, failure: str) -> None:
    group = witnesses(log, lambda url, body: FAILING[failure], [W])
    group.collect()
    answer = group.answers["w"]
    assert answer.finding is None
    assert f"status {FAILING[failure].status}" in (answer.problem or "")
    group.close()


def test_a_size_that_changes_for_ever_is_given_up(log: Log) -> None:
    log.append([make_entry(str(i)) for i in range(8)])
    sizes = iter(range(1, 9))
    group = witnesses(log, lambda u, b: Reply(409, SIZE_TYPE, encode_size(next(sizes))), [W])
    group.collect()
    assert "changed 3 times" in (group.answers["w"].problem or "")
    group.close()


def test_one_down_and_one_lying_do_not_keep_the_third_from_counting(log: Log, house: House) -> None:
    def post(url: str, body: bytes) -> Reply:
        if url.startswith("down"):
            raise PeerUnavailable("nobody there", remedy="start it")
        return (
            other_head(AddCheckpoint.parse(body))
            if url.startswith("liar")
            else local(house)(url, body)
        )

    group = witnesses(log, post, [W, *house.cosigners], ("down", "liar", "good"))
    assert group.policy.satisfied(group.collect())
    assert group.answers["down"].problem == "nobody there"
    group.close()


def test_an_answer_that_comes_too_late_is_kept(log: Log, house: House) -> None:
    go, told = threading.Event(), threading.Event()

    def slow(url: str, body: bytes) -> Reply:
        go.wait(10)
        return house.desk.add_checkpoint(body)

    group = witnesses(log, slow, list(house.cosigners))
    group.wait_s, group.tell = 0.0, lambda _: told.set()
    signed = group.collect()
    assert not group.policy.satisfied(signed)
    assert log.witnessed() == 0
    go.set()
    assert told.wait(10)
    assert log.witnessed() == 2
    group.close()
