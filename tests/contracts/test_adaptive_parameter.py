"""AdaptiveParameter: what it follows, what it refuses, and that no sequence breaks a bound."""

from __future__ import annotations

from typing import Any

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import MAX_AGE_S, WINDOW_S, account
from tests.support.parameters import ONE, Parameter


@pytest.fixture
def parameter() -> Parameter:
    return Parameter()


def pass_s(seconds: int) -> None:
    boa.env.time_travel(seconds=seconds)


def test_it_begins_at_its_safe_value_and_steps_toward_the_prediction(parameter: Parameter) -> None:
    it = parameter.contract
    assert it.value() == 3_000
    assert it.preview(ONE) == 3_400
    assert parameter.move(parameter.record(ONE)) == 3_400
    with boa.reverts("Parameter: cooling down"):
        parameter.move(parameter.record(ONE))
    pass_s(60)
    assert parameter.move(parameter.record(ONE // 2)) == 3_500
    assert it.value() == 3_500
    pass_s(60)
    assert parameter.move(parameter.record(-100 * ONE)) == 3_100
    (event,) = [e for e in it.get_logs() if type(e).__name__ == "Moved"]
    assert (event.before, event.after, event.target) == (3_500, 3_100, 500)


def test_it_expires_to_its_safe_value(parameter: Parameter) -> None:
    parameter.move(parameter.record(ONE))
    pass_s(599)
    assert parameter.contract.value() == 3_400
    pass_s(1)
    assert parameter.contract.value() == 3_000


def test_a_veto_is_obeyed_at_once_and_for_its_time(parameter: Parameter) -> None:
    it = parameter.contract
    parameter.move(parameter.record(ONE))
    with boa.reverts("Guard: caller is not the human"):
        it.veto(sender=parameter.operator.address)
    it.veto(sender=parameter.human)
    assert it.value() == 3_000
    pass_s(999)
    with boa.reverts("Parameter: vetoed"):
        parameter.move(parameter.record(ONE))
    pass_s(1)
    assert parameter.move(parameter.record(ONE)) == 3_400
    it.pause(sender=parameter.human)
    assert it.value() == 3_000
    with boa.reverts("Guard: paused"):
        parameter.move(parameter.record(ONE))


def test_no_question_is_answered_twice(parameter: Parameter) -> None:
    record, rival = parameter.record(ONE), parameter.record(-ONE)
    parameter.move(record)
    pass_s(60)
    for late in (record, rival):
        with boa.reverts("Parameter: about another question"):
            parameter.move(late)
    before = parameter.record(ONE)
    parameter.contract.veto(sender=parameter.human)
    pass_s(parameter.limits.veto_s)
    with boa.reverts("Parameter: about another question"):
        parameter.move(before)


def test_what_is_no_valid_prediction_is_refused(parameter: Parameter) -> None:
    now_ms = boa.env.timestamp * 1000
    for record, reason in (
        (parameter.record(ONE, model_id=b"x" * 32), "Evidence: another model"),
        (parameter.record(ONE, request=b"x" * 32), "Parameter: about another question"),
        (parameter.record(ONE, now_ms + 100_000), "Evidence: from the future"),
        (parameter.record(ONE, now_ms - MAX_AGE_S * 1000 - 1000), "Evidence: too old"),
    ):
        with boa.reverts(reason):
            parameter.move(record)
    with boa.reverts("Evidence: deadline has passed"):
        parameter.move(parameter.record(ONE), boa.env.timestamp - 1)
    honest, parameter.operator = parameter.operator, account("nobody bonded")
    with boa.reverts("Evidence: bond is too small"):
        parameter.move(parameter.record(ONE))
    parameter.operator = honest
    other = Parameter()
    with boa.reverts("Parameter: about another question"):
        parameter.move(other.record(ONE))


def test_where_signed_is_not_enough_an_anchored_record_is_after_its_window() -> None:
    it = Parameter(least=3, cool_down_s=1)
    record = it.record(ONE)
    with boa.reverts("Evidence: signed is not enough"):
        it.move(record)
    args = it.anchored(record)
    with boa.reverts("Evidence: challenge window is open"):
        it.contract.move_anchored(*args)
    pass_s(WINDOW_S)
    forged = [args[0][:], *args[1:]]
    forged[0][3] = b"f" * 32
    with boa.reverts("Evidence: record is not in the log"):
        it.contract.move_anchored(*forged)
    assert it.contract.move_anchored(*args) == 3_400


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"safe": 20_000}, "Parameter: safe value is out of bounds"),
        ({"low": 4_000}, "Parameter: safe value is out of bounds"),
        ({"high": 2**130}, "Parameter: upper bound is too large"),
        ({"max_step": 0}, "Parameter: it could never move"),
        ({"slope": 2**140}, "Parameter: base or slope is too large"),
        ({"cool_down_s": 0}, "Parameter: duration out of range"),
        ({"expiry_s": 10**10}, "Parameter: duration out of range"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any], reason: str) -> None:
    with boa.reverts(reason):
        Parameter(**limits)


class Moves(RuleBasedStateMachine):
    """Against a Python model: any scores, times, vetoes and pauses, in any order."""

    @initialize(
        low=st.integers(0, 1_000),
        width=st.integers(0, 9_000),
        safe=st.integers(0, 9_000),
        step=st.integers(1, 20_000),
        base=st.integers(-(2**100), 2**100) | st.integers(-5_000, 15_000),
        slope=st.integers(-(2**128), 2**128) | st.integers(-5_000, 5_000),
    )
    def begin(self, low: int, width: int, safe: int, step: int, base: int, slope: int) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        high = low + width
        self.it = Parameter(
            low=low, high=high, safe=low + safe % (width + 1), max_step=step, base=base, slope=slope
        )
        self.limits = self.it.limits
        self.expected, self.moved_at, self.vetoed_until = self.limits.safe, 0, 0
        self.paused = False

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    def now(self) -> int:
        fresh = self.moved_at and boa.env.timestamp < self.moved_at + self.limits.expiry_s
        return self.expected if fresh and not self.paused else self.limits.safe

    @rule(seconds=st.integers(1, 700))
    def wait(self, seconds: int) -> None:
        pass_s(seconds)

    @rule(score=st.integers(-(2**63), 2**63 - 1) | st.integers(-3 * ONE, 3 * ONE))
    def predict(self, score: int) -> None:
        clock, before = boa.env.timestamp, self.now()
        due = clock >= max(self.vetoed_until, self.moved_at + self.limits.cool_down_s)
        if self.paused or not due:
            with boa.reverts():
                self.it.move(self.it.record(score))
            return
        after = self.it.move(self.it.record(score))
        assert after == self.limits.step(before, score)
        assert abs(after - before) <= self.limits.max_step
        self.expected, self.moved_at = after, clock

    @rule()
    def veto(self) -> None:
        self.it.contract.veto(sender=self.it.human)
        self.moved_at, self.vetoed_until = 0, boa.env.timestamp + self.limits.veto_s

    @rule()
    def pause_or_go_on(self) -> None:
        name = "unpause" if self.paused else "pause"
        getattr(self.it.contract, name)(sender=self.it.human)
        self.paused = not self.paused

    @invariant()
    def within_bounds(self) -> None:
        if hasattr(self, "it"):
            value = self.it.contract.value()
            assert self.limits.low <= value <= self.limits.high
            assert value == self.now()


TestMoves = Moves.TestCase
TestMoves.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
