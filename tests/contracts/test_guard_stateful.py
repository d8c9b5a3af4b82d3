"""Guard against a Python model of it: whatever is tried, in whatever order, its bounds hold."""

from __future__ import annotations

from dataclasses import dataclass

import boa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import contracts as c
from tests.support.contracts import Published, deploy_world
from tests.support.guards import INVALID
from veridict.core.codec import TAG_REQUEST, commit

FINAL = (c.PAID, c.RELEASED, c.REFUSED, c.RECLAIMED)


@dataclass
class Expected:
    amount: int
    opened_at: int
    state: int = c.OPEN
    ever_held: bool = False


@dataclass(frozen=True)
class Shown:
    """A record in an anchored log, about a payment."""

    log: Published
    subject: int
    score: int


class Payments(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.world = deploy_world()
        self.payments: dict[int, Expected] = {}
        self.shown: list[Shown] = []
        self.thresholds = (c.REVIEW_AT, c.HOLD_AT)
        self.proposal: tuple[int, int, int] | None = None  # and from when it counts
        self.paid_on: dict[int, int] = {}  # day -> paid without the human
        self.paused = False
        self.start = self.world.token.balanceOf(self.world.payer)

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    which = st.integers(0, 10**6)

    def pick(self, which: int) -> int:
        return 1 + which % len(self.payments)

    @rule(amount=st.integers(1, 1_200))
    def open(self, amount: int) -> None:
        if self.paused:
            with boa.reverts("Guard: paused"):
                self.world.open(amount)
            return
        payment = self.world.open(amount)
        assert payment == len(self.payments) + 1
        self.payments[payment] = Expected(amount, boa.env.timestamp)

    @precondition(lambda self: self.payments)
    @rule(which=which, score=st.integers(-50, 250), about=which)
    def settle(self, which: int, score: int, about: int) -> None:
        """With a prediction about a payment that need not be the one it is shown for."""
        payment, subject = self.pick(which), self.pick(about)
        record = self.world.record(subject, score)
        if reason := self.refusal(payment, subject):
            with boa.reverts(reason):
                self.world.settle_signed(payment, record)
            return
        self.world.settle_signed(payment, record)
        self.decide(self.payments[payment], score)

    @precondition(lambda self: self.payments)
    @rule(about=which, score=st.integers(-50, 250))
    def publish(self, about: int, score: int) -> None:
        """In a log of its own, behind another record."""
        subject, key = self.pick(about), len(self.shown).to_bytes(32, "big")
        records = [self.world.record(subject, score + 1), self.world.record(subject, score)]
        self.shown.append(Shown(self.world.publish(records, key), subject, score))

    @precondition(lambda self: self.shown)
    @rule(which=which, about=st.none() | which)
    def settle_anchored(self, which: int, about: int | None) -> None:
        """With any record that was ever published, about its payment or another."""
        shown = self.shown[-1 - which % len(self.shown)]
        payment = shown.subject if about is None else self.pick(about)
        age = boa.env.timestamp - shown.log.time_s
        reason = self.refusal(payment, shown.subject)
        if reason is None and age > c.MAX_AGE_S:
            reason = INVALID + "too old"
        elif reason is None and age < c.WINDOW_S:
            reason = INVALID + "challenge window is open"
        if reason:
            with boa.reverts(reason):
                self.world.settle_anchored(payment, shown.log, 1)
            return
        self.world.settle_anchored(payment, shown.log, 1)
        self.decide(self.payments[payment], shown.score)

    def refusal(self, payment: int, subject: int) -> str | None:
        """Why no prediction about `subject` settles `payment`, whatever the evidence."""
        if self.paused:
            return "Guard: paused"
        if self.payments[payment].state != c.OPEN:
            return "Guard: payment is settled already"
        return INVALID + "about another request" if subject != payment else None

    def decide(self, expected: Expected, score: int) -> None:
        day = boa.env.timestamp // 86_400
        spent = self.paid_on.get(day, 0) + expected.amount
        review_at, hold_at = self.thresholds
        if score >= hold_at:
            expected.state = c.HELD
        elif score >= review_at or expected.amount > c.MAX_AUTO or spent > c.MAX_PER_DAY:
            expected.state = c.REVIEW
        else:
            expected.state = c.PAID
            self.paid_on[day] = spent
        expected.ever_held = expected.state != c.PAID

    @rule(review_at=st.integers(-20, 160), above=st.integers(-5, 200), by_human=st.booleans())
    def propose(self, review_at: int, above: int, by_human: bool) -> None:
        hold_at = review_at + above
        sender = self.world.human if by_human else self.world.payer
        bounded = above >= 0 and review_at <= c.REVIEW_CEILING and hold_at <= c.HOLD_CEILING
        if not (by_human and bounded):
            with boa.reverts():
                self.world.guard.propose_thresholds(review_at, hold_at, sender=sender)
            return
        self.world.guard.propose_thresholds(review_at, hold_at, sender=sender)
        self.proposal = (review_at, hold_at, boa.env.timestamp + c.CHANGE_DELAY_S)

    @rule()
    def apply(self) -> None:
        if self.proposal is None or boa.env.timestamp < self.proposal[2]:
            reason = "change is cooling down" if self.proposal else "nothing is proposed"
            with boa.reverts(f"Guard: {reason}"):
                self.world.guard.apply_thresholds(sender=self.world.human)
            return
        self.world.guard.apply_thresholds(sender=self.world.human)
        self.thresholds, self.proposal = self.proposal[:2], None

    @precondition(lambda self: self.payments)
    @rule(which=which, defect=st.sampled_from(["guard", "chain", "payee", "amount", "model"]))
    def lie(self, which: int, defect: str) -> None:
        """A prediction for another guard, chain, payee, amount or model."""
        payment = self.pick(which)
        if self.paused or self.payments[payment].state != c.OPEN:
            return
        content = bytearray(self.world.content(payment))
        word = {"chain": 0, "guard": 1, "payee": 4, "amount": 5}.get(defect)
        if word is not None:
            content[word * 32 + 31] ^= 1
        request = commit(TAG_REQUEST, c.SALT, bytes(content))
        model = b"x" * 32 if defect == "model" else c.MODEL_ID
        record = self.world.record(payment, request=request, model_id=model)
        with boa.reverts():
            self.world.settle_signed(payment, record)

    @precondition(lambda self: self.payments)
    @rule(which=which, release=st.booleans(), by_human=st.booleans())
    def judge(self, which: int, release: bool, by_human: bool) -> None:
        payment = self.pick(which)
        expected = self.payments[payment]
        act = self.world.guard.release if release else self.world.guard.refuse
        if not by_human or expected.state in FINAL:
            with boa.reverts():
                act(payment, sender=self.world.human if by_human else self.world.payee)
            return
        act(payment, sender=self.world.human)
        expected.state = c.RELEASED if release else c.REFUSED

    @precondition(lambda self: self.payments)
    @rule(which=which)
    def reclaim(self, which: int) -> None:
        payment = self.pick(which)
        expected = self.payments[payment]
        due = boa.env.timestamp >= expected.opened_at + c.RECLAIM_AFTER_S
        if expected.state in FINAL or not due:
            with boa.reverts():
                self.world.guard.reclaim(payment, sender=self.world.payer)
            return
        self.world.guard.reclaim(payment, sender=self.world.payer)
        expected.state = c.RECLAIMED

    @rule()
    def toggle_pause(self) -> None:
        act = self.world.guard.unpause if self.paused else self.world.guard.pause
        act(sender=self.world.human)
        self.paused = not self.paused

    @rule(seconds=st.sampled_from([1, c.WINDOW_S, 7_200, 30_000]))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @invariant()
    def tokens_are_where_the_states_say(self) -> None:
        if not hasattr(self, "payments"):
            return
        held, to_payee = 0, 0
        for payment, expected in self.payments.items():
            assert self.world.guard.payment(payment).state == expected.state
            held += expected.amount if expected.state not in FINAL else 0
            to_payee += expected.amount if expected.state in (c.PAID, c.RELEASED) else 0
            assert not (expected.ever_held and expected.state == c.PAID)
        token = self.world.token
        assert token.balanceOf(self.world.guard) == held
        assert token.balanceOf(self.world.payee) == to_payee
        assert token.balanceOf(self.world.payer) == self.start - held - to_payee

    @invariant()
    def bounds_hold(self) -> None:
        if not hasattr(self, "payments"):
            return
        assert all(total <= c.MAX_PER_DAY for total in self.paid_on.values())
        today = self.paid_on.get(boa.env.timestamp // 86_400, 0)
        assert self.world.guard.auto_spent_today() == today
        assert (self.world.guard.review_at(), self.world.guard.hold_at()) == self.thresholds


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=8, stateful_step_count=20)
