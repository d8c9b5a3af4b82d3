"""Guard: what is left to the human, and to the payer if the human does nothing."""

from __future__ import annotations

import boa
import pytest

from tests.support import contracts as c
from tests.support.contracts import World
from tests.support.guards import logged, refused, state


@pytest.mark.parametrize("score", [None, c.REVIEW_AT, c.HOLD_AT], ids=["open", "review", "held"])
@pytest.mark.parametrize("verdict", ["release", "refuse"])
def test_the_human_decides_what_is_undecided(world: World, score: int | None, verdict: str) -> None:
    before = world.token.balanceOf(world.payer)
    payment = world.open(500)
    if score is not None:
        world.settle_signed(payment, world.record(payment, score))
    decide = getattr(world.guard, verdict)
    refused(
        world,
        "Guard: caller is not the human",
        lambda: decide(payment, sender=world.operator.address),
    )
    decide(payment, sender=world.human)
    (event,) = logged(world)
    assert event.id == payment
    released = verdict == "release"
    assert state(world, payment) == (c.RELEASED if released else c.REFUSED)
    assert world.token.balanceOf(world.payee) == (500 if released else 0)
    assert world.token.balanceOf(world.payer) == before - (500 if released else 0)
    for again in (world.guard.release, world.guard.refuse):
        refused(
            world,
            "Guard: payment is settled already",
            lambda f=again: f(payment, sender=world.human),  # type: ignore[misc]
        )


def test_what_was_paid_stays_paid(world: World) -> None:
    """Though the guard holds enough of another's tokens to pay again."""
    payment, _ = world.open(500), world.open(500)
    world.settle_signed(payment, world.record(payment))
    assert state(world, payment) == c.PAID
    boa.env.time_travel(seconds=c.RECLAIM_AFTER_S)
    for again, by in (
        (world.guard.release, world.human),
        (world.guard.refuse, world.human),
        (world.guard.reclaim, world.payer),
    ):
        refused(
            world,
            "Guard: payment is settled already",
            lambda f=again, sender=by: f(payment, sender=sender),  # type: ignore[misc]
        )


def test_the_human_cannot_decide_what_does_not_exist(world: World) -> None:
    for decide in (world.guard.release, world.guard.refuse):
        with boa.reverts("Guard: unknown payment"):
            decide(1, sender=world.human)


def test_pausing_stops_all_that_is_automatic(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    for act in (world.guard.pause, world.guard.unpause):
        with boa.reverts("Guard: caller is not the human"):
            act(sender=world.payer)
    with boa.reverts("Guard: not paused"):
        world.guard.unpause(sender=world.human)
    world.guard.pause(sender=world.human)
    assert type(world.guard.get_logs()[-1]).__name__ == "Paused"
    with boa.reverts("Guard: paused"):
        world.guard.pause(sender=world.human)
    refused(world, "Guard: paused", lambda: world.settle_signed(payment, record))
    world.guard.unpause(sender=world.human)
    assert type(world.guard.get_logs()[-1]).__name__ == "Unpaused"
    world.settle_signed(payment, record)
    assert state(world, payment) == c.PAID


@pytest.mark.parametrize("score", [None, c.REVIEW_AT, c.HOLD_AT], ids=["open", "review", "held"])
def test_what_nobody_decides_goes_back_to_the_payer(world: World, score: int | None) -> None:
    before = world.token.balanceOf(world.payer)
    payment = world.open(500)
    if score is not None:
        world.settle_signed(payment, world.record(payment, score))
    world.guard.pause(sender=world.human)  # which does not lock anything in
    boa.env.time_travel(seconds=c.RECLAIM_AFTER_S - 1)
    with boa.reverts("Guard: too early to reclaim"):
        world.guard.reclaim(payment, sender=world.payer)
    boa.env.time_travel(seconds=1)
    with boa.reverts("Guard: caller is not the payer"):
        world.guard.reclaim(payment, sender=world.payee)
    world.guard.reclaim(payment, sender=world.payer)
    assert [e.id for e in logged(world)] == [payment]
    assert state(world, payment) == c.RECLAIMED
    assert world.token.balanceOf(world.payer) == before
    with boa.reverts("Guard: payment is settled already"):
        world.guard.reclaim(payment, sender=world.payer)
    with boa.reverts("Guard: unknown payment"):
        world.guard.reclaim(9, sender=world.payer)


def test_thresholds_change_after_a_delay(world: World) -> None:
    guard = world.guard
    guard.propose_thresholds(50, 60, sender=world.human)
    due = boa.env.timestamp + c.CHANGE_DELAY_S
    (event,) = logged(world)
    assert (event.review_at, event.hold_at, event.effective_at) == (50, 60, due)
    assert guard.proposed_thresholds() == (50, 60, due)
    assert (guard.review_at(), guard.hold_at()) == (c.REVIEW_AT, c.HOLD_AT)

    boa.env.time_travel(seconds=c.CHANGE_DELAY_S - 1)
    with boa.reverts("Guard: change is cooling down"):
        guard.apply_thresholds(sender=world.human)
    guard.propose_thresholds(51, 61, sender=world.human)  # starts the delay anew
    boa.env.time_travel(seconds=1)
    with boa.reverts("Guard: change is cooling down"):
        guard.apply_thresholds(sender=world.human)
    boa.env.time_travel(seconds=c.CHANGE_DELAY_S)
    with boa.reverts("Guard: caller is not the human"):
        guard.apply_thresholds(sender=world.payer)
    guard.apply_thresholds(sender=world.human)
    (event,) = logged(world)
    assert (event.review_at, event.hold_at) == (51, 61)
    assert (guard.review_at(), guard.hold_at()) == (51, 61)
    with boa.reverts("Guard: nothing is proposed"):
        guard.apply_thresholds(sender=world.human)


def test_thresholds_stay_within_their_ceilings(world: World) -> None:
    for review_at, hold_at, reason in (
        (60, 50, "Guard: review_at is above hold_at"),
        (151, 300, "Guard: review_at is above its ceiling"),
        (150, 301, "Guard: hold_at is above its ceiling"),
    ):
        with boa.reverts(reason):
            world.guard.propose_thresholds(review_at, hold_at, sender=world.human)
    with boa.reverts("Guard: caller is not the human"):
        world.guard.propose_thresholds(50, 60, sender=world.payer)
