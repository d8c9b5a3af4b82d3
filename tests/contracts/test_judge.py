"""Disputes: a lie is slashed, once, and only the liar's; honest operators lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa
import pytest

from tests.support import contracts, trees
from tests.support.contracts import MIN_BOND
from tests.support.court import INPUTS, LIE, TRUE_SCORE, Court


def test_a_lie_costs_the_bond_and_half_goes_to_the_challenger(court: Court) -> None:
    bodies = [court.record(LIE, n).encode() for n in range(5)]
    arguments = court.publish(bodies)
    before = boa.env.get_balance(court.challenger.address)

    event = court.challenge(arguments)

    assert court.stakes.bond(court.operator.address) == 0
    assert boa.env.get_balance(court.challenger.address) - before == MIN_BOND // 2
    leaf = trees.leaf(bodies[0])
    assert court.judge.proven(court.operator.address, leaf) == MIN_BOND
    assert (event.claimed, event.actual, event.slashed) == (LIE, TRUE_SCORE, MIN_BOND)
    assert (event.modelId, event.leaf) == (court.model_id, leaf)
    assert event.operator == court.operator.address
    assert event.challenger == court.challenger.address


@pytest.mark.parametrize("claimed", [LIE, TRUE_SCORE + 1, 0, -(2**63), 2**63 - 1])
def test_every_other_score_is_a_lie(court: Court, claimed: int) -> None:
    court.challenge(court.publish([court.record(claimed).encode()]))
    assert court.stakes.bond(court.operator.address) == 0


def test_an_honest_score_stands(court: Court) -> None:
    arguments = court.publish([court.record(TRUE_SCORE).encode()])
    with boa.reverts("Judge: score is honest"):
        court.challenge(arguments)
    assert court.stakes.bond(court.operator.address) == MIN_BOND


def test_an_accomplice_with_the_same_lie_shields_nobody(court: Court) -> None:
    body = court.record(LIE).encode()
    accomplice = contracts.account("accomplice")
    court.stakes.deposit(value=MIN_BOND, sender=accomplice.address)
    court.challenge(court.publish([body], by=accomplice))
    court.challenge(court.publish([body]))
    assert court.stakes.bond(court.operator.address) == 0


def test_an_operator_on_the_way_out_is_slashed(court: Court) -> None:
    arguments = court.publish([court.record(LIE).encode()])
    court.stakes.request_exit(sender=court.operator.address)
    court.challenge(arguments)
    assert court.stakes.bond(court.operator.address) == 0


def other_inputs(arguments: dict[str, Any]) -> None:
    arguments["inputs"] = bytes(8) + INPUTS[8:]


Spoil = Callable[[dict[str, Any]], None]
NOT_THERE = "Judge: record is not in the operator's log"
UNOPENED = "Judge: inputs do not open the record"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a.update(operator=contracts.account("other").address), NOT_THERE),
        (lambda a: a.update(key=b"k" * 32), NOT_THERE),
        (lambda a: a.update(size=a["size"] + 1), NOT_THERE),
        (lambda a: a.update(root=b"r" * 32), NOT_THERE),
        (lambda a: a.update(time=a["time"] + 1), NOT_THERE),
        (lambda a: a.update(index=1), NOT_THERE),
        (lambda a: a.update(proof=a["proof"][:-1]), NOT_THERE),
        (lambda a: a.update(proof=[*a["proof"], b"p" * 32]), NOT_THERE),
        (lambda a: a["record"].__setitem__(2, b"x" * 32), NOT_THERE),
        (lambda a: a["record"].__setitem__(0, bytes(32)), "Judge: not a prediction"),
        (lambda a: a.update(inputs_salt=b"z" * 32), UNOPENED),
        (other_inputs, UNOPENED),
        (lambda a: a.update(inputs=INPUTS + bytes(8)), UNOPENED),
        (lambda a: a.update(inputs=b""), UNOPENED),
    ],
    ids=[
        "another operator", "another log", "another size", "another root", "another time",
        "another index", "proof too short", "proof too long", "another record", "no prediction",
        "another salt", "other inputs", "more inputs", "no inputs",
    ],
)  # fmt: skip
def test_a_challenge_with_one_thing_wrong_fails(court: Court, spoil: Spoil, reason: str) -> None:
    arguments = court.publish([court.record(LIE, n).encode() for n in range(3)])
    court.stakes.deposit(value=1, sender=contracts.account("other").address)
    spoil(arguments)
    with boa.reverts(reason):
        court.challenge(arguments)
    assert court.stakes.bond(court.operator.address) == MIN_BOND


def test_a_record_of_an_unregistered_model_cannot_be_judged(court: Court) -> None:
    arguments = court.publish([court.record(LIE, model_id=b"u" * 32).encode()])
    with boa.reverts("Registry: unknown model"):
        court.challenge(arguments)


def test_only_the_judge_slashes(court: Court) -> None:
    with boa.reverts("Stakes: caller is not the judge"):
        court.stakes.slash(
            court.operator.address, court.challenger.address, sender=court.challenger.address
        )
