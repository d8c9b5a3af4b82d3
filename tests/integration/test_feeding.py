"""A watcher on a real node: once each, the severest of model and detectors, nothing silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.feeds import (
    ListFeed,
    arrivals,
    decided_ids,
    made_of,
    paid,
    watcher_of,
)
from tests.support.told import opened, told_copy
from veridict.core.errors import StorageFailed
from veridict.core.nouns import Decision, PredictionRecord
from veridict.services.acting import erase
from veridict.services.feeding.follow import follow, place_of
from veridict.services.feeding.memory import Memory
from veridict.services.feeding.records import FeedRecord, FeedWords
from veridict.services.feeding.verdicts import alerts_of, verdict_on
from veridict.services.node import Node
from veridict.services.records import decode
from veridict.services.sayings import read_words
from veridict.watch.feeds.base import Arrived, Dropped, Item, Retracted

LISTED = "0x01e2919679362dfBC9ee1644Ba9C6da6D6245BB1"  # as in the shipped lists


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return told_copy(tmp_path / "home")


@pytest.fixture
def node(home: Path) -> Iterator[Node]:
    with opened(home) as node:
        yield node


def many(count: int, first: int = 0) -> list[Arrived]:
    return [
        Arrived(
            str(number + 1),
            paid(f"p-{number}", at=60 * number, payer=f"a{number % 7}", payee=f"b{number % 5}"),
        )
        for number in range(first, first + count)
    ]


def test_each_payment_gets_one_decision_and_the_audit_agrees(node: Node, home: Path) -> None:
    before = node.log.size
    feed = ListFeed(many(1_200))
    done = follow(node, watcher_of(node, home), feed, anchor_every=0)
    assert done.payments == 1_200
    assert [outcome.again for outcome in feed.outcomes] == [False] * 1_200
    again = ListFeed(many(1_200), name="another")
    assert follow(node, watcher_of(node, home), again, anchor_every=0).again == 1_200
    assert set(decided_ids(node, before).values()) == {1}
    assert [o.index for o in again.outcomes] == [o.index for o in feed.outcomes]
    node.anchor()
    assert [check.title for check in node.audit() if check.findings] == []


def test_detectors_make_a_decision_graver_and_say_why(node: Node, home: Path) -> None:
    watcher = watcher_of(node, home)
    counts = dict(node.board.counts)
    (outcome,) = watcher.decide("list", arrivals([paid("to-listed", payee=LISTED)]), live=False)
    assert outcome.decision is Decision.HOLD
    assert "on the list" in outcome.reasons[0]
    assert outcome.index is not None
    record = PredictionRecord.decode(node.log.body(outcome.index))
    verdict = verdict_on(node.log, outcome.index, record)
    assert verdict is not None
    assert verdict[0].decision == "hold"
    assert alerts_of(verdict[1])[0].detector == "listed"
    assert node.board.counts[Decision.HOLD] == counts[Decision.HOLD] + 1
    assert node.board.cases[outcome.index].decision is Decision.HOLD
    (again,) = watcher.decide("list", arrivals([paid("to-listed", payee=LISTED)]), live=False)
    assert (again.again, again.decision, again.index) == (True, Decision.HOLD, outcome.index)
    assert again.reasons == outcome.reasons[: len(again.reasons)]


def test_what_is_not_decided_is_counted_and_logged_with_its_beginning(
    node: Node, home: Path
) -> None:
    watcher = watcher_of(node, home)
    far = paid("far", at=10**9)
    items: list[Item] = [
        Arrived("1", paid("one")),
        Arrived("2", paid("one", amount=2_000)),  # the same id, another amount
        Dropped("3", "message.bad", "row 3: no payment", sample="\x00 what?"),
        Arrived("4", far),
        Retracted("5", "gone", "block 7 is no longer on the chain"),
        Dropped("6", "flood", "a flood", count=40),
    ]
    outcomes = watcher.decide("messy", items, live=True)
    refused = [outcome.refused for outcome in outcomes]
    assert refused == [None, "contradiction", "message.bad", "time.ahead", "retracted", "flood"]
    record = decode(node.log.body(node.log.size - 1))
    assert isinstance(record, FeedRecord)
    assert (record.feed, record.cursor) == ("messy", "6")
    assert record.counts == {
        "contradiction": 1, "message.bad": 1, "time.ahead": 1, "retracted": 1, "flood": 40,
    }  # fmt: skip
    words = read_words(node.log.payload(node.log.size - 1), FeedWords)
    assert words is not None
    assert [drop.code for drop in words.drops] == refused[1:]
    assert words.drops[0].id == "one"
    assert words.drops[1].sample == "\x00 what?"
    assert node.board.feeds["messy"].counts == record.counts
    # later, against what the log says
    (late,) = watcher.decide("messy", [Arrived("7", paid("one", payee="eve"))], live=False)
    assert late.refused == "contradiction"
    node.anchor()
    assert [check.title for check in node.audit() if check.findings] == []


def test_features_after_a_restart_are_those_without_one(node: Node, home: Path) -> None:
    """Saved in the middle, lost, and never saved: all three come to the same bits."""
    events = many(900)
    watcher = watcher_of(node, home)
    for at in range(0, 900, 150):
        watcher.decide("list", events[at : at + 150], live=False)
        if at == 300:
            watcher.save()
    fresh = Memory(home / "elsewhere", made_of(node))
    fresh.recover(node.log)
    kept = Memory(home / "watch" / "state", made_of(node))
    kept.recover(node.log)
    states = [memory.means.features.save() for memory in (watcher._memory, fresh, kept)]
    assert states[0] == states[1] == states[2]
    looked = [[d.save() for d in memory.means.detectors] for memory in (watcher._memory, fresh)]
    assert looked[0] == looked[1]


def test_late_and_reordered_payments_are_decided_as_of_now(node: Node, home: Path) -> None:
    watcher = watcher_of(node, home)
    rng = np.random.default_rng(1)
    times = rng.permutation(50).tolist()
    events = [paid(f"late-{at}", at=at * 1_000) for at in times]
    outcomes = watcher.decide("list", arrivals(events), live=False)
    assert all(outcome.decision is not None for outcome in outcomes)
    told = {
        payload.request.id: payload.request.time_s
        for payload in node.log.payloads(node.log.size - 200)
        if payload
    }
    assert all(told[one.id] == one.time_s for one in events)  # what the source said stays


def test_the_place_is_behind_what_was_dropped_last(node: Node, home: Path) -> None:
    watcher = watcher_of(node, home)
    items: list[Item] = [*many(3), Dropped("4", "message.bad", "row 4")]
    follow(node, watcher, ListFeed(items), anchor_every=0)
    assert place_of(node.log, "list", node.board.feeds["list"]).cursor == "4"
    more = ListFeed([*items, Dropped("5", "message.bad", "row 5")])
    done = follow(node, watcher, more, anchor_every=0)
    assert (done.again, done.refused) == (0, {"message.bad": 1})


def test_a_batch_that_cannot_be_logged_is_decided_when_it_can(
    node: Node, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watcher_of(node, home)
    watcher.decide("list", many(20), live=False)
    with monkeypatch.context() as broken:

        def full(*_: object, **__: object) -> None:
            raise StorageFailed("the disk is full", remedy="make room")

        broken.setattr(node.log, "append", full)
        with pytest.raises(StorageFailed):
            watcher.decide("list", many(20, first=20), live=False)
    watcher.decide("list", many(20, first=20), live=False)
    fresh = Memory(home / "elsewhere", made_of(node))
    fresh.recover(node.log)
    assert watcher._memory.means.features.save() == fresh.means.features.save()


def test_who_is_erased_is_forgotten_by_the_watcher_too(node: Node, home: Path) -> None:
    watcher = watcher_of(node, home)
    watcher.decide("list", many(50), live=False)
    watcher.save()
    assert b"a3" in (home / "watch" / "state").read_bytes()
    erase(node, "a3", ground="request", by="the officer")
    watcher.decide("list", [Arrived("99", paid("p-99", at=10**6, payer="a4"))], live=False)
    watcher.save()
    names = watcher._memory.means.features.save()
    assert b'"a3"' not in names
