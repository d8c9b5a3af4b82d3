"""Guard against a Python model of it: whatever is tried, in whatever order, its bounds hold."""

from __future__ import annotations

from dataclasses import dataclass

import boa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import contracts as c
from tests.support.contracts import deploy_world
from veridict.core.codec import TAG_REQUEST, commit
from veridict.core.nouns import PredictionRecord

FINAL = (c.PAID, c.RELEASED, c.REFUSED, c.RECLAIMED)


@dataclass
class Expected:
    amount: int
    opened_at: int
    state: int = c.OPEN
    ever_held: bool = False


class Payments(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.world = deploy_world()
        self.payments: dict[int, Expected] = {}
        self.shown: list[tuple[int, PredictionRecord, int, bytes]] = []
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
        expected = self.payments[payment]
        if self.paused:
            reason = "Guard: paused"
        elif expected.state != c.OPEN:
            reason = "Guard: payment is settled already"
        elif subject != payment:
            reason = "Guard: no valid prediction, about another request"
        else:
            self.world.settle_signed(payment, record)
            self.decide(expected, score)
            return
        with boa.reverts(reason):
            self.world.settle_signed(payment, record)

    def decide(self, expected: Expected, score: int) -> None:
        day = boa.env.timestamp // 86_400
        spent = self.paid_on.get(day, 0) + expected.amount
        if score >= c.HOLD_AT:
            expected.state = c.HELD
        elif score >= c.REVIEW_AT or expected.amount > c.MAX_AUTO or spent > c.MAX_PER_DAY:
            expected.state = c.REVIEW
        else:
            expected.state = c.PAID
            self.paid_on[day] = spent
        expected.ever_held = expected.state != c.PAID

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

    @rule(seconds=st.sampled_from([1, 3_600, 30_000]))
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


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=8, stateful_step_count=20)
