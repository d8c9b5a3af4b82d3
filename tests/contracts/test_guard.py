"""Guard: what it pays, what it keeps, and everything it refuses."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import boa
import pytest

from tests.support import contracts as c
from tests.support import trees
from tests.support.contracts import World, account, deploy, deploy_world, guard_args, words
from veridict.assurance.signed import sign_prediction
from veridict.core.codec import TAG_REQUEST, commit

NOBODY = "0x" + "00" * 20
INVALID = "Guard: no valid prediction, "


def logged(world: World) -> list[Any]:
    """The guard's own events of the last call."""
    return [e for e in world.guard.get_logs() if e.address == world.guard.address]


def state(world: World, payment_id: int) -> int:
    return int(world.guard.payment(payment_id).state)


# --- opening ---


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


# --- the score decides ---


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


# --- what is no valid prediction ---


def refused(world: World, reason: str, act: Callable[[], object]) -> None:
    before = [world.token.balanceOf(a) for a in (world.guard, world.payer, world.payee)]
    with boa.reverts(reason):
        act()
    assert before == [world.token.balanceOf(a) for a in (world.guard, world.payer, world.payee)]


def test_a_payment_settles_once(world: World) -> None:
    for score in (0, c.REVIEW_AT, c.HOLD_AT):
        payment = world.open()
        record = world.record(payment, score)
        world.settle_signed(payment, record)
        for again in (record, world.record(payment)):
            refused(
                world,
                "Guard: payment is settled already",
                lambda p=payment, r=again: world.settle_signed(p, r),  # type: ignore[misc]
            )


def test_an_unknown_payment_is_refused(world: World) -> None:
    record = world.record(world.open())
    for payment in (0, 2, 2**256 - 1):
        refused(
            world,
            "Guard: unknown payment",
            lambda p=payment: world.settle_signed(p, record),  # type: ignore[misc]
        )


def test_a_prediction_about_another_payment_is_refused(world: World) -> None:
    world.open(500)
    others = [world.open(500), world.open(501), world.open(500, payee=world.human)]
    record = world.record(1)
    for payment in others:
        refused(
            world,
            INVALID + "about another request",
            lambda p=payment: world.settle_signed(p, record),  # type: ignore[misc]
        )


@pytest.mark.parametrize("where", [{"guard": NOBODY}, {"chain_id": 5}], ids=["guard", "chain"])
def test_a_prediction_for_elsewhere_is_refused(world: World, where: dict[str, Any]) -> None:
    payment = world.open()
    request = commit(TAG_REQUEST, c.SALT, world.content(payment, **where))
    record = world.record(payment, request=request)
    refused(world, INVALID + "about another request", lambda: world.settle_signed(payment, record))


def test_a_salt_that_does_not_open_the_request_is_refused(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    refused(
        world,
        INVALID + "about another request",
        lambda: world.settle_signed(payment, record, salt=b"x" * 32),
    )


def test_another_model_is_refused(world: World) -> None:
    payment = world.open()
    record = world.record(payment, model_id=b"x" * 32)
    refused(world, INVALID + "another model", lambda: world.settle_signed(payment, record))


def test_a_deprecated_model_is_refused(world: World) -> None:
    payment = world.open()
    world.registry.deprecate(c.MODEL_ID)
    record = world.record(payment)
    refused(world, INVALID + "model is not active", lambda: world.settle_signed(payment, record))


def test_without_a_registry_nobody_is_asked() -> None:
    world = deploy_world(registry=NOBODY)
    world.registry.deprecate(c.MODEL_ID)
    payment = world.open()
    world.settle_signed(payment, world.record(payment))
    assert state(world, payment) == c.PAID


@pytest.mark.parametrize("kind", [0x00, 0x02, ord("{")])
def test_another_kind_of_record_is_refused(world: World, kind: int) -> None:
    payment = world.open()
    first, *rest = words(world.record(payment))
    refused(
        world,
        INVALID + "not a prediction record",
        lambda: world.guard.settle_signed(
            payment, [bytes([kind]) + first[1:], *rest], c.SALT, 2**40, b"\0" * 65
        ),
    )


def test_a_prediction_has_its_time(world: World) -> None:
    now = boa.env.timestamp
    for offset_s, reason in (
        (-c.MAX_AGE_S - 1, "too old"),
        (61, "from the future"),
        (-c.MAX_AGE_S, None),
        (60, None),
    ):
        payment = world.open()
        record = world.record(payment, time_ms=(now + offset_s) * 1000)
        if reason:
            refused(
                world,
                INVALID + reason,
                lambda p=payment, r=record: world.settle_signed(p, r),  # type: ignore[misc]
            )
        else:
            world.settle_signed(payment, record)
            assert state(world, payment) == c.PAID


def test_a_deadline_passes(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    deadline = boa.env.timestamp
    with boa.env.anchor():
        world.settle_signed(payment, record, deadline=deadline)
    boa.env.time_travel(seconds=1)
    refused(
        world,
        INVALID + "deadline has passed",
        lambda: world.settle_signed(payment, record, deadline=deadline),
    )


def test_a_stranger_or_a_leaver_is_refused(world: World) -> None:
    payment = world.open()
    record, too_small = world.record(payment), INVALID + "bond is too small"
    stranger = account("stranger")
    refused(world, too_small, lambda: world.settle_signed(payment, record, signer=stranger))
    world.stakes.deposit(value=c.MIN_BOND - 1, sender=stranger.address)
    refused(world, too_small, lambda: world.settle_signed(payment, record, signer=stranger))
    world.stakes.request_exit(sender=world.operator.address)
    refused(world, too_small, lambda: world.settle_signed(payment, record))


def test_a_signature_of_other_fields_is_a_strangers(world: World) -> None:
    payment = world.open()
    high, low = world.record(payment, c.HOLD_AT), world.record(payment)
    deadline = boa.env.timestamp + 60
    signature = sign_prediction(
        world.operator, high, world.guard.address, boa.env.evm.patch.chain_id, deadline
    )
    refused(
        world,
        INVALID + "bond is too small",
        lambda: world.settle_signed(payment, low, deadline=deadline, signature=signature),
    )
    refused(
        world,
        INVALID + "bond is too small",
        lambda: world.settle_signed(payment, high, deadline=deadline + 1, signature=signature),
    )


N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def high_s(signature: bytes) -> bytes:
    """The other signature of the same digest by the same key (EIP-2 forbids it)."""
    s = N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "broken",
    [
        lambda s: b"",
        lambda s: s[:64],
        lambda s: b"\0" * 65,
        lambda s: s[:64] + b"\x1d",
        lambda s: s[:64] + bytes([s[64] - 27]),
        high_s,
    ],
    ids=["empty", "short", "zeros", "v 29", "v 0 or 1", "high s"],
)
def test_a_malformed_signature_is_refused(world: World, broken: Callable[[bytes], bytes]) -> None:
    payment = world.open()
    record, deadline = world.record(payment), boa.env.timestamp + 60
    good = sign_prediction(
        world.operator, record, world.guard.address, boa.env.evm.patch.chain_id, deadline
    )
    refused(
        world,
        INVALID + "bad signature",
        lambda: world.settle_signed(payment, record, deadline=deadline, signature=broken(good)),
    )


def test_where_signed_is_not_enough(world: World) -> None:
    strict = deploy_world(min_assurance=c.OPTIMISTIC)
    payment = strict.open()
    record = strict.record(payment)
    refused(strict, INVALID + "signed is not enough", lambda: strict.settle_signed(payment, record))
    log = strict.publish([record])
    boa.env.time_travel(seconds=c.WINDOW_S)
    strict.settle_anchored(payment, log, 0)
    assert state(strict, payment) == c.PAID


# --- anchored ---


def test_an_anchored_record_counts_after_the_window(world: World) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)])
    boa.env.time_travel(seconds=c.WINDOW_S - 1)
    refused(
        world,
        INVALID + "challenge window is open",
        lambda: world.settle_anchored(payment, log, 0),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"operator": NOBODY},
        {"key": b"x" * 32},
        {"size": 4},
        {"root": b"x" * 32},
        {"time": 0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_head_that_is_not_anchored_is_refused(world: World, changes: dict[str, Any]) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)] * 5)
    boa.env.time_travel(seconds=c.WINDOW_S)
    refused(
        world,
        INVALID + "head is not anchored",
        lambda: world.settle_anchored(payment, log, 2, **changes),
    )


@pytest.mark.parametrize(
    "changes",
    [{"index": 3}, {"index": 5}, {"proof": []}, {"proof": [b"x" * 32] * 64}],
    ids=["index", "beyond", "no proof", "long proof"],
)
def test_a_record_that_is_not_in_the_log_is_refused(world: World, changes: dict[str, Any]) -> None:
    payment = world.open()
    log = world.publish([world.record(payment, score) for score in range(5)])
    boa.env.time_travel(seconds=c.WINDOW_S)
    not_in = INVALID + "record is not in the log"
    refused(world, not_in, lambda: world.settle_anchored(payment, log, 2, **changes))
    other = words(world.record(payment, 9, time_ms=log.records[2].time_ms))
    refused(world, not_in, lambda: world.settle_anchored(payment, log, 2, record=other))


def test_a_slashed_operators_records_no_longer_count(world: World) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)])
    boa.env.time_travel(seconds=c.WINDOW_S)
    world.stakes.slash(world.operator.address, world.human, sender=world.judge)
    refused(world, INVALID + "bond is too small", lambda: world.settle_anchored(payment, log, 0))


# --- the human ---


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


# --- thresholds ---


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


def test_the_domain_is_told(world: World) -> None:
    assert world.guard.eip712Domain() == (
        b"\x0f",
        "veridict",
        "1",
        boa.env.evm.patch.chain_id,
        world.guard.address,
        b"\0" * 32,
        [],
    )


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


# --- tokens that misbehave ---

ODD_TOKEN = """
guard: address
fee: uint256
refuse: bool
balanceOf: public(HashMap[address, uint256])

@external
def set(fee: uint256, refuse: bool):
    self.fee = fee
    self.refuse = refuse

@internal
def _move(a: address, b: address, amount: uint256) -> bool:
    if not self.refuse:
        self.balanceOf[b] += amount - self.fee
        self.balanceOf[a] = unsafe_sub(self.balanceOf[a], amount - self.fee)
    return not self.refuse

@external
def transferFrom(a: address, b: address, amount: uint256) -> bool:
    return self._move(a, b, amount)

@external
def transfer(b: address, amount: uint256) -> bool:
    return self._move(msg.sender, b, amount)
"""


def test_a_token_that_moves_another_amount_is_refused() -> None:
    token = boa.loads(ODD_TOKEN)
    world = deploy_world(token=token.address)
    payment = world.open(500)
    record = world.record(payment)
    for fee, refuse, reason in (
        (1, False, "Guard: token moved another amount"),
        (0, True, "Guard: token refused the transfer"),
    ):
        token.set(fee, refuse)
        with boa.reverts(reason):
            world.open(500)
        with boa.reverts(reason):
            world.settle_signed(payment, record)
    token.set(0, False)
    world.settle_signed(payment, record)
    assert token.balanceOf(world.payee) == 500


def test_the_leaf_of_the_event_is_the_logs(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    world.settle_signed(payment, record)
    (event,) = logged(world)
    assert event.leaf == sha256(b"\0" + record.encode()).digest()
