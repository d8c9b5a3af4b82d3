"""Guard: what it takes, what it pays, what waits."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
import pytest

from tests.support import contracts as c
from tests.support import trees
from tests.support.contracts import World, deploy, guard_args
from tests.support.guards import NOBODY, logged, state


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": NOBODY}, "token is not a contract"),
        ({"anchor": NOBODY}, "anchor is not a contract"),
        ({"stakes": NOBODY}, "stakes is not a contract"),
        ({"human": NOBODY}, "human is nobody"),
        ({"review_at": 201}, "review_at is above hold_at"),
        ({"review_at": 151}, "review_at is above its ceiling"),
        ({"hold_at": 301}, "hold_at is above its ceiling"),
        ({"min_assurance": 2}, "unknown assurance"),
        ({"challenge_window_s": c.MAX_AGE_S + 1}, "records expire before they count"),
    ],
)
def test_a_guard_that_makes_no_sense_is_not_deployed(
    world: World, changes: dict[str, Any], reason: str
) -> None:
    parts = (world.token, world.anchor, world.stakes, world.registry)
    with boa.reverts(f"Guard: {reason}"):
        deploy("Guard", *guard_args(parts, world.human, **changes))


def test_bounds_are_told(world: World) -> None:
    told = [
        getattr(world.guard, name)()
        for name in (
            "max_auto_amount",
            "max_auto_per_day",
            "min_bond",
            "max_age_s",
            "min_assurance",
        )
    ]
    assert told == [c.MAX_AUTO, c.MAX_PER_DAY, c.MIN_BOND, c.MAX_AGE_S, c.SIGNED]


def test_opening_takes_the_tokens(world: World) -> None:
    before = world.token.balanceOf(world.payer)
    assert (world.open(500), world.open(7)) == (1, 2)
    (event,) = logged(world)
    assert (event.id, event.payer, event.payee, event.amount) == (2, world.payer, world.payee, 7)
    assert tuple(world.guard.payment(1)) == (
        world.payer, world.payee, 500, c.OPEN, boa.env.timestamp,
    )  # fmt: skip
    assert world.token.balanceOf(world.guard) == 507
    assert world.token.balanceOf(world.payer) == before - 507
    assert world.guard.request_content(1) == world.content(1)


def test_what_cannot_be_paid_is_not_opened(world: World) -> None:
    with boa.reverts("Guard: amount is zero"):
        world.open(0)
    with boa.reverts("Guard: amount is too large"):
        world.open(2**96)
    for payee in (NOBODY, world.guard.address):
        with boa.reverts("Guard: payee cannot be paid"):
            world.open(payee=payee)
    world.guard.pause(sender=world.human)
    with boa.reverts("Guard: paused"):
        world.open()


@pytest.mark.parametrize(
    ("score", "event_name", "after"),
    [
        (-(2**63), "PaymentAllowed", c.PAID),
        (c.REVIEW_AT - 1, "PaymentAllowed", c.PAID),
        (c.REVIEW_AT, "PaymentReviewed", c.REVIEW),
        (c.HOLD_AT - 1, "PaymentReviewed", c.REVIEW),
        (c.HOLD_AT, "PaymentHeld", c.HELD),
        (2**63 - 1, "PaymentHeld", c.HELD),
    ],
)
@pytest.mark.parametrize("tier", ["signed", "anchored"])
def test_the_score_decides(
    world: World, tier: str, score: int, event_name: str, after: int
) -> None:
    payment = world.open(500)
    record = world.record(payment, score)
    if tier == "signed":
        world.settle_signed(payment, record)
    else:
        log = world.publish([world.record(payment, 999), record, record])
        boa.env.time_travel(seconds=c.WINDOW_S)
        world.settle_anchored(payment, log, 1)

    (event,) = logged(world)
    assert type(event).__name__ == event_name
    assert (event.id, event.operator) == (payment, world.operator.address)
    assert (event.leaf, event.score) == (trees.leaf(record.encode()), score)
    assert state(world, payment) == after
    paid = 500 if after == c.PAID else 0
    assert world.token.balanceOf(world.payee) == paid == world.guard.auto_spent_today()
    assert world.token.balanceOf(world.guard) == 500 - paid


def test_the_leaf_of_the_event_is_the_logs(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    world.settle_signed(payment, record)
    (event,) = logged(world)
    assert event.leaf == sha256(b"\0" + record.encode()).digest()


def test_more_than_the_automatic_amount_waits(world: World) -> None:
    most, more = world.open(c.MAX_AUTO), world.open(c.MAX_AUTO + 1)
    world.settle_signed(most, world.record(most))
    world.settle_signed(more, world.record(more))
    assert (state(world, most), state(world, more)) == (c.PAID, c.REVIEW)


def test_more_than_the_days_total_waits_until_tomorrow(world: World) -> None:
    ids = [world.open(1_000) for _ in range(4)]
    for payment in ids[:3]:
        world.settle_signed(payment, world.record(payment))
    assert [state(world, i) for i in ids[:3]] == [c.PAID, c.PAID, c.REVIEW]
    assert world.guard.auto_spent_today() == 2_000
    boa.env.time_travel(seconds=86_400)
    assert world.guard.auto_spent_today() == 0
    world.settle_signed(ids[3], world.record(ids[3]))
    assert state(world, ids[3]) == c.PAID
    assert world.guard.auto_spent_today() == 1_000
