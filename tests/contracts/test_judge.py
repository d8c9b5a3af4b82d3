"""Disputes: a lie is slashed, once, and only the liar's; honest operators lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boa
import pytest
from eth_account.signers.local import LocalAccount

from tests.support import contracts, trees
from tests.support.contracts import KEY, MIN_BOND, SALT
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import Decision, PredictionRecord
from veridict.models import reference
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import Node, Tree, TreeModel

TREE = Tree((Node(1, 2**63, True, ~0, ~1),), (-(5 << 32), 7 << 32))
MODEL = TreeModel(2, 1, (TREE,))
ROW = [2**63 + 5, 2**63 + 9]
INPUTS = b"".join(value.to_bytes(8, "big") for value in ROW)
TRUE_SCORE = reference.score(MODEL, ROW)
LIE = TRUE_SCORE - 1


@dataclass(frozen=True, slots=True)
class Court:
    anchor: Any
    stakes: Any
    judge: Any
    model_id: bytes
    operator: LocalAccount
    challenger: LocalAccount

    def record(self, score: int, sequence: int = 0, **changes: Any) -> PredictionRecord:
        fields: dict[str, Any] = {
            "decision": Decision.ALLOW,
            "reasons": (1, 0xFFFF, 0xFFFF),
            "sequence": sequence,
            "time_ms": 1,
            "score": score,
            "model_id": self.model_id,
            "request": b"r" * 32,
            "inputs": commit(TAG_INPUTS, SALT, INPUTS),
        }
        return PredictionRecord(**(fields | changes))

    def publish(self, bodies: list[bytes], by: LocalAccount | None = None) -> dict[str, Any]:
        """Anchor a log of these bodies; the arguments that challenge its first record."""
        operator = by or self.operator
        leaves = [trees.leaf(body) for body in bodies]
        root = trees.root(leaves)
        self.anchor.anchor(KEY, 0, trees.root([]), len(leaves), root, [], sender=operator.address)
        return {
            "operator": operator.address,
            "key": KEY,
            "size": len(leaves),
            "root": root,
            "time": boa.env.timestamp,
            "index": 0,
            "record": [bodies[0][i : i + 32] for i in range(0, 128, 32)],
            "inputs_salt": SALT,
            "inputs": INPUTS,
            "proof": trees.inclusion(0, leaves),
        }

    def challenge(self, arguments: dict[str, Any]) -> Any:
        """The judge's LieProven event."""
        self.judge.challenge(*arguments.values(), sender=self.challenger.address)
        (event,) = [e for e in self.judge.get_logs() if type(e).__name__ == "LieProven"]
        return event


@pytest.fixture
def court(_rolled_back: None) -> Court:
    registry, anchor = contracts.deploy("Registry"), contracts.deploy("Anchor")
    stakes = contracts.deploy("Stakes", contracts.UNBONDING_S)
    judge = contracts.deploy("Judge", registry.address, anchor.address, stakes.address)
    stakes.set_judge(judge.address)
    canonical = CanonicalModel.from_trees(MODEL)
    addresses = [contracts.data_contract(chunk) for chunk in canonical.chunks()]
    registry.register(canonical.id, addresses, contracts.CARD, MODEL.n_features)
    operator = contracts.account("operator")
    stakes.deposit(value=MIN_BOND, sender=operator.address)
    return Court(anchor, stakes, judge, canonical.id, operator, contracts.account("challenger"))


def test_a_lie_costs_the_bond_and_half_goes_to_the_challenger(court: Court) -> None:
    bodies = [court.record(LIE, n).encode() for n in range(5)]
    arguments = court.publish(bodies)
    before = boa.env.get_balance(court.challenger.address)

    event = court.challenge(arguments)

    assert court.stakes.bond(court.operator.address) == 0
    assert boa.env.get_balance(court.challenger.address) - before == MIN_BOND // 2
    leaf = trees.leaf(bodies[0])
    assert court.judge.proven(court.operator.address, leaf)
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


def test_a_lie_is_punished_once(court: Court) -> None:
    arguments = court.publish([court.record(LIE).encode()])
    court.challenge(arguments)
    court.stakes.deposit(value=MIN_BOND, sender=court.operator.address)
    with boa.reverts("Judge: lie is proven already"):
        court.challenge(arguments)
    assert court.stakes.bond(court.operator.address) == MIN_BOND


def test_an_accomplice_with_the_same_lie_shields_nobody(court: Court) -> None:
    body = court.record(LIE).encode()
    accomplice = contracts.account("accomplice")
    court.challenge(court.publish([body], by=accomplice))
    court.challenge(court.publish([body]))
    assert court.stakes.bond(court.operator.address) == 0


def test_a_lie_without_a_bond_is_still_proven(court: Court) -> None:
    arguments = court.publish([court.record(LIE).encode()], by=contracts.account("poor"))
    assert court.challenge(arguments).slashed == 0


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
