"""Disputes: a lie is slashed, once, and only the liar's; honest operators lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa
import pytest

from tests.support import contracts, trees
from tests.support.contracts import MIN_BOND, SALT
from tests.support.court import INPUTS, LIE, MODEL, TRUE_SCORE, Court
from veridict.core.codec import TAG_INPUTS, commit
from veridict.models import reference
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import Node, Tree, TreeModel


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


@pytest.mark.parametrize("length", [0, 8, 15, 17, 24, 2048])
def test_a_score_of_inputs_that_are_no_row_of_the_model_is_a_lie(court: Court, length: int) -> None:
    """Committed to by the operator himself: there is no true score he could have logged."""
    inputs = bytes(length)
    opened = commit(TAG_INPUTS, SALT, inputs)
    arguments = court.publish([court.record(TRUE_SCORE, inputs=opened).encode()])
    event = court.challenge(arguments | {"inputs": inputs})
    assert (event.claimed, event.actual, event.slashed) == (TRUE_SCORE, -(2**255), MIN_BOND)
    assert court.stakes.bond(court.operator.address) == 0


@pytest.mark.parametrize("image", [1, 2**52 - 2, 2**64 - 1, 0xFFF0_0000_0000_0001])
def test_images_of_no_float_are_scored_like_all_others(court: Court, image: int) -> None:
    """The format gives every image a score, so only another score is a lie."""
    inputs = image.to_bytes(8, "big") * 2
    opened = commit(TAG_INPUTS, SALT, inputs)
    score = reference.score(MODEL, [image, image])
    honest = court.publish([court.record(score, inputs=opened).encode()], key=b"h" * 32)
    with boa.reverts("Judge: score is honest"):
        court.challenge(honest | {"inputs": inputs})
    lie = court.publish([court.record(score + 1, inputs=opened).encode()])
    assert court.challenge(lie | {"inputs": inputs}).actual == score


def test_of_several_outputs_the_winner_is_judged(court: Court) -> None:
    """Three classes; the first two are level on this row, so the lower number wins."""
    trees_ = tuple(Tree((Node(1, 2**63, True, ~0, ~1),), (0, high)) for high in (9, 9, 8))
    model_id = court.register(TreeModel(2, 0, trees_, (0, 0)))
    honest = court.publish([court.record(0, model_id=model_id).encode()], key=b"h" * 32)
    with boa.reverts("Judge: score is honest"):
        court.challenge(honest)
    event = court.challenge(court.publish([court.record(1, model_id=model_id).encode()]))
    assert (event.claimed, event.actual) == (1, 0)


def test_a_record_of_bytes_that_are_no_model_cannot_be_judged(court: Court) -> None:
    """Whoever relies on a model id has decoded its bytes: nobody takes such a record for good."""
    loop = bytearray(CanonicalModel.from_parts(MODEL).bytes)
    loop[48:52] = (38).to_bytes(2, "big") * 2  # a node that leads to itself
    model_id = court.register_bytes(bytes(loop))
    body = court.record(LIE, model_id=model_id).encode()
    with boa.reverts("Scorer: model is not canonical"):
        court.challenge(court.publish([body], key=model_id))
    assert court.stakes.bond(court.operator.address) == MIN_BOND


def test_the_judge_takes_no_other_scorer(court: Court) -> None:
    parts = [court.judge.registry(), court.judge.anchor(), court.judge.stakes()]
    for other in (contracts.data_contract(b"returns this"), contracts.account("x").address):
        with boa.reverts("Judge: not the scorer of this judge"):
            contracts.deploy("Judge", *parts, other)


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
