"""What a lie costs, whoever proves it, whenever, and whatever they do while they are paid."""

from __future__ import annotations

from typing import Any

import boa
import pytest
from boa.util.abi import Address

from tests.support import contracts, trees
from tests.support.contracts import MIN_BOND
from tests.support.court import LIE, PUPPET, TRUE_SCORE, Court

ALREADY = "Judge: lie is proven already"
NOTHING = "Judge: nothing left to slash"


def proven(court: Court, body: bytes) -> int:
    return int(court.judge.proven(court.operator.address, trees.leaf(body)))


def bond(court: Court) -> int:
    return int(court.stakes.bond(court.operator.address))


def deposit(court: Court, amount: int) -> None:
    court.stakes.deposit(value=amount, sender=court.operator.address)


def test_a_lie_is_punished_once(court: Court) -> None:
    arguments = court.publish([court.record(LIE).encode()])
    court.challenge(arguments)
    deposit(court, MIN_BOND)
    with boa.reverts(ALREADY):
        court.challenge(arguments)
    assert bond(court) == MIN_BOND


@pytest.mark.parametrize("score", [LIE, TRUE_SCORE], ids=["lie", "honest"])
def test_where_nothing_is_left_nothing_is_proven(court: Court, score: int) -> None:
    """A second lie of an operator who was slashed for the first, or left."""
    first, second = court.record(LIE).encode(), court.record(score, 1).encode()
    one, other = court.publish([first]), court.publish([second], key=b"k" * 32)
    court.challenge(one)
    with boa.reverts(NOTHING):
        court.challenge(other)
    assert (proven(court, first), proven(court, second)) == (MIN_BOND, 0)


def test_who_has_left_cannot_be_punished_until_it_is_back(court: Court) -> None:
    body = court.record(LIE).encode()
    arguments = court.publish([body])
    court.stakes.request_exit(sender=court.operator.address)
    boa.env.time_travel(seconds=contracts.UNBONDING_S)
    court.stakes.withdraw(sender=court.operator.address)
    with boa.reverts(NOTHING):
        court.challenge(arguments)
    assert proven(court, body) == 0

    deposit(court, MIN_BOND)
    assert court.challenge(arguments).slashed == MIN_BOND


def test_a_cheap_proof_shields_no_larger_bond(court: Court) -> None:
    """An operator has its own lie proven over a bond of one wei, and only then bonds in earnest."""
    body = court.record(LIE).encode()
    arguments = court.publish([body])
    court.stakes.request_exit(sender=court.operator.address)
    boa.env.time_travel(seconds=contracts.UNBONDING_S)
    court.stakes.withdraw(sender=court.operator.address)
    deposit(court, 1)
    court.challenge(arguments)
    assert proven(court, body) == 1

    deposit(court, MIN_BOND)
    assert court.challenge(arguments).slashed == MIN_BOND
    assert (bond(court), proven(court, body)) == (0, MIN_BOND)
    deposit(court, MIN_BOND)
    with boa.reverts(ALREADY):
        court.challenge(arguments)


def test_the_mark_is_undone_with_a_payment_that_is_refused(court: Court) -> None:
    """A challenger who takes no ether: the challenge fails as a whole, another can make it."""
    body = court.record(LIE).encode()
    arguments = court.publish([body])
    calls = boa.loads("@external\ndef act(to: address, data: Bytes[8192]):\n    raw_call(to, data)")
    with boa.reverts("Stakes: payment refused"):
        calls.act(court.judge.address, call(court, arguments))
    assert (proven(court, body), bond(court)) == (0, MIN_BOND)
    assert court.challenge(arguments).slashed == MIN_BOND


# --- while the challenger is paid ---


@pytest.fixture
def puppet() -> Any:
    return boa.loads(PUPPET)


def call(court: Court, arguments: dict[str, Any]) -> bytes:
    return bytes(court.judge.challenge.prepare_calldata(*arguments.values()))


def test_no_challenge_within_a_challenge(court: Court, puppet: Any) -> None:
    body = court.record(LIE).encode()
    mine = court.publish([body])
    other = contracts.account("other")
    court.stakes.deposit(value=MIN_BOND, sender=other.address)
    theirs = court.publish([body], by=other)

    for nested in (mine, theirs):
        with boa.env.anchor():
            puppet.upon_payment(court.judge.address, call(court, nested), 0)
            puppet.act(court.judge.address, call(court, mine), 0)
            assert (puppet.paid(), puppet.succeeded()) == (1, False)
            assert boa.env.get_balance(puppet.address) == MIN_BOND // 2
            assert court.stakes.bond(other.address) == MIN_BOND
            assert court.challenge(theirs).slashed == MIN_BOND


def test_no_withdrawal_within_a_slashing(court: Court, puppet: Any) -> None:
    """The challenger's own exit is due; it could only take what is its own, but not now."""
    stakes, mine = court.stakes, 5
    boa.env.set_balance(puppet.address, mine)
    puppet.act(stakes.address, stakes.deposit.prepare_calldata(), mine)
    puppet.act(stakes.address, stakes.request_exit.prepare_calldata(), 0)
    boa.env.time_travel(seconds=contracts.UNBONDING_S)
    arguments = court.publish([court.record(LIE).encode()])
    puppet.upon_payment(stakes.address, stakes.withdraw.prepare_calldata(), 0)
    puppet.act(court.judge.address, call(court, arguments), 0)
    assert (puppet.paid(), puppet.succeeded()) == (1, False)
    assert stakes.bond(puppet.address) == boa.env.get_balance(stakes.address) == mine


def test_an_operator_who_bonds_its_reward_at_once_keeps_the_books_right(
    court: Court, puppet: Any
) -> None:
    """Operator and challenger in one: half is burnt, half is the new bond, the lie is marked."""
    nobody = Address("0x" + "00" * 20)
    stakes, burnt = court.stakes, boa.env.get_balance(nobody)
    boa.env.set_balance(puppet.address, MIN_BOND)
    puppet.act(stakes.address, stakes.deposit.prepare_calldata(), MIN_BOND)
    body = court.record(LIE).encode()
    arguments = court.publish([body], by=puppet)
    puppet.upon_payment(stakes.address, stakes.deposit.prepare_calldata(), MIN_BOND // 2)

    puppet.act(court.judge.address, call(court, arguments), 0)

    assert puppet.succeeded()
    assert stakes.bond(puppet.address) == MIN_BOND // 2
    assert boa.env.get_balance(stakes.address) == MIN_BOND // 2 + bond(court)
    assert boa.env.get_balance(nobody) - burnt == MIN_BOND // 2
    assert court.judge.proven(puppet.address, trees.leaf(body)) == MIN_BOND
    with boa.reverts(ALREADY):
        court.challenge(arguments)
