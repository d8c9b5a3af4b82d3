"""The small parts of the plots: runs of numbers, payments' names, rows decided before, the bus."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.chain.contract import Contract
from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, SCORE_ONE, Decision, Policy, Request
from veridict.services.accounts import spans_of
from veridict.services.board import Board, probability
from veridict.services.bus import LISTENER_EVENTS, Bus
from veridict.services.node import Node
from veridict.services.settle import payment_of
from veridict.services.watching import decided_before


@given(st.sets(st.integers(0, 60)))
def test_spans_are_the_same_numbers_in_the_fewest_runs(numbers: set[int]) -> None:
    runs = spans_of(sorted(numbers))
    assert [n for first, last in runs for n in range(first, last + 1)] == sorted(numbers)
    assert all(later > last + 1 for (_, last), (later, _) in pairwise(runs))


# -- policy ----------------------------------------------------------------------------------

scores = st.integers(INT64_MIN, INT64_MAX)


@given(scores, scores, scores)
def test_a_policy_never_decides_a_higher_score_more_mildly(a: int, b: int, score: int) -> None:
    policy = Policy(min(a, b), max(a, b))
    assert policy.decide(policy.hold_at) is Decision.HOLD
    if score < INT64_MAX:
        assert policy.decide(score) <= policy.decide(score + 1)
    decision = policy.decide(score)
    assert (decision is Decision.ALLOW) == (score < policy.review_at)
    assert (decision is Decision.HOLD) == (score >= policy.hold_at)


def test_thresholds_out_of_order_are_refused() -> None:
    for review_at, hold_at in ((1, 0), (INT64_MIN - 1, 0), (0, INT64_MAX + 1)):
        with pytest.raises(BadInput):
            Policy(review_at, hold_at)


# -- payments --------------------------------------------------------------------------------

GUARD = "0x" + "aB" * 20


@dataclass(frozen=True)
class At:
    """As much of a contract as its name needs."""

    address: str = GUARD


@pytest.mark.parametrize(
    ("name", "payment"),
    [
        (f"{GUARD}/0", 0),
        (f"{GUARD}/17", 17),
        (f"{GUARD}/", None),
        (f"{GUARD}/-1", None),
        (f"{GUARD}/1/2", None),
        (f"{GUARD}/²", None),
        (f"{GUARD.lower()}/1", None),
        (f"0x{'11' * 20}/1", None),
        ("pay-1", None),
        ("", None),
    ],
)
def test_a_payment_is_known_by_the_name_of_its_request(name: str, payment: int | None) -> None:
    assert payment_of(Request(name, "", 0, b""), cast(Contract, At())) == payment


# -- rows decided before ---------------------------------------------------------------------


@dataclass
class Remembering:
    """A node whose log holds predictions of `rows`, of which some were erased since."""

    rows: list[str]
    erased: set[int]

    @property
    def log(self) -> Remembering:
        return self

    @property
    def accounts(self) -> Remembering:
        return self

    def all(self) -> list[int]:
        return sorted(self.erased)

    def body(self, index: int) -> bytes:
        return b"\x01"

    def find_requests(self, names: Sequence[str]) -> list[int | None]:
        kept = {row: at for at, row in enumerate(self.rows) if at not in self.erased}
        return [kept.get(name) for name in names]


@given(st.integers(1, 60), st.data())
def test_rows_that_had_a_record_are_not_decided_again(rows: int, data: st.DataObject) -> None:
    """Whichever were erased between the first and the last that is still known."""
    ids = [f"row {n}" for n in range(rows)]
    start = data.draw(st.integers(0, rows - 1))  # an earlier run began there
    stop = data.draw(st.integers(start + 1, rows))
    logged = ["something else", *ids[start:stop]]
    inner = range(2, len(logged) - 1)
    erased = data.draw(st.sets(st.sampled_from(inner) if inner else st.nothing()))
    node = Remembering(logged, erased)
    decided = decided_before(cast(Node, node), ids)
    assert decided == [start <= row < stop for row in range(rows)]


def test_what_nobody_can_tell_is_decided_again() -> None:
    node = Remembering(["a", "b"], {1})
    assert decided_before(cast(Node, node), ["a", "b", "c"]) == [True, False, False]


# -- the bus ---------------------------------------------------------------------------------


def test_everyone_who_listens_is_told() -> None:
    bus = Bus()
    with bus.subscribe() as first, bus.subscribe() as second:
        bus.publish("status", 1)
        assert [queue.get_nowait().data for queue in (first, second)] == [1, 1]
    bus.publish("status", 2)
    assert first.empty()
    assert second.empty()


def test_a_slow_listener_keeps_the_newest_and_stops_nobody() -> None:
    bus = Bus()
    with bus.subscribe() as slow, bus.subscribe() as quick:
        told: list[object] = []
        for number in range(3 * LISTENER_EVENTS):
            bus.publish("prediction", number)
            told.append(quick.get_nowait().data)
        kept = [slow.get_nowait().data for _ in range(slow.qsize())]
    assert told == list(range(3 * LISTENER_EVENTS))
    assert kept == told[-LISTENER_EVENTS:]


def test_many_publish_while_listeners_come_and_go() -> None:
    bus = Bus()

    def publish() -> None:
        for number in range(500):
            bus.publish("prediction", number)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    with bus.subscribe() as steady:
        for thread in threads:
            thread.start()
        for _ in range(50):
            with bus.subscribe() as passing:
                while not passing.empty():
                    passing.get_nowait()
        for thread in threads:
            thread.join()
        assert steady.qsize() == LISTENER_EVENTS


def test_a_listener_that_fails_is_forgotten() -> None:
    bus = Bus()

    def listen() -> None:
        with bus.subscribe():
            raise RuntimeError("the browser went away")

    with pytest.raises(RuntimeError):
        listen()
    bus.publish("status", 1)  # to nobody


# -- display ---------------------------------------------------------------------------------


def test_probability_is_a_logistic_that_never_overflows() -> None:
    assert probability(0) == 0.5
    values: Sequence[int] = (INT64_MIN, -SCORE_ONE, 0, SCORE_ONE, INT64_MAX)
    shown = [probability(value) for value in values]
    assert shown == sorted(shown)
    assert all(0 <= value <= 1 for value in shown)


def test_an_empty_board_shows_nothing() -> None:
    board = Board()
    assert (board.predictions, board.open_cases, board.rate(10**12)) == (0, 0, 0.0)
    assert board.quality() == []
    assert sum(board.scores().allow) == 0
