"""Stakes: bonds in, bonds out after a delay, and slashing at any time before."""

from __future__ import annotations

from typing import Any

import boa
import pytest
from boa.util.abi import Address

from tests.support.contracts import account, deploy

UNBONDING_S = 1_000


@pytest.fixture
def stakes() -> Any:
    return deploy("Stakes", UNBONDING_S)


@pytest.fixture
def operator() -> str:
    return str(account("operator").address)


@pytest.fixture
def judge(stakes: Any) -> str:
    judge = str(account("judge").address)
    stakes.set_judge(judge)
    return judge


def test_deposits_add_up(stakes: Any, operator: str) -> None:
    stakes.deposit(value=3, sender=operator)
    stakes.deposit(value=4, sender=operator)
    (event,) = stakes.get_logs()
    assert (event.operator, event.amount, event.bond) == (operator, 4, 7)
    assert (stakes.bond(operator), stakes.standing(operator), stakes.exit_at(operator)) == (7, 7, 0)
    assert boa.env.get_balance(stakes.address) == 7


def test_a_deposit_of_nothing_is_refused(stakes: Any, operator: str) -> None:
    with boa.reverts("Stakes: nothing deposited"):
        stakes.deposit(sender=operator)


def test_a_bond_beyond_its_slot_is_refused(stakes: Any, operator: str) -> None:
    boa.env.set_balance(Address(operator), 2**129)
    with boa.reverts("Stakes: bond is too large"):
        stakes.deposit(value=2**128, sender=operator)


def test_leaving_takes_its_time(stakes: Any, operator: str) -> None:
    before = boa.env.get_balance(Address(operator))
    stakes.deposit(value=7, sender=operator)
    stakes.request_exit(sender=operator)
    (event,) = stakes.get_logs()
    due = boa.env.timestamp + UNBONDING_S
    assert (event.operator, event.exitAt) == (operator, due)
    assert (stakes.bond(operator), stakes.standing(operator)) == (7, 0)
    assert stakes.exit_at(operator) == due

    boa.env.time_travel(seconds=UNBONDING_S - 1)
    with boa.reverts("Stakes: exit is not due"):
        stakes.withdraw(sender=operator)
    boa.env.time_travel(seconds=1)
    stakes.withdraw(sender=operator)
    (event,) = stakes.get_logs()
    assert (event.operator, event.amount) == (operator, 7)
    assert (stakes.bond(operator), stakes.exit_at(operator)) == (0, 0)
    assert boa.env.get_balance(Address(operator)) == before
    with boa.reverts("Stakes: no exit requested"):
        stakes.withdraw(sender=operator)


def test_who_leaves_neither_deposits_nor_leaves_again(stakes: Any, operator: str) -> None:
    stakes.deposit(value=7, sender=operator)
    stakes.request_exit(sender=operator)
    with boa.reverts("Stakes: operator is leaving"):
        stakes.deposit(value=1, sender=operator)
    with boa.reverts("Stakes: operator is leaving"):
        stakes.request_exit(sender=operator)


def test_who_has_no_bond_cannot_leave(stakes: Any, operator: str) -> None:
    with boa.reverts("Stakes: no bond"):
        stakes.request_exit(sender=operator)


@pytest.mark.parametrize("leaving", [False, True])
def test_slashing_halves(stakes: Any, operator: str, judge: str, leaving: bool) -> None:
    challenger, nobody = boa.env.generate_address(), Address("0x" + "00" * 20)
    burnt = boa.env.get_balance(nobody)
    stakes.deposit(value=7, sender=operator)
    if leaving:
        stakes.request_exit(sender=operator)

    assert stakes.slash(operator, challenger, sender=judge) == 7
    (event,) = stakes.get_logs()
    assert (event.operator, event.challenger) == (operator, challenger)
    assert (event.amount, event.burnt) == (7, 4)
    assert boa.env.get_balance(challenger) == 3
    assert boa.env.get_balance(nobody) == burnt + 4
    assert boa.env.get_balance(stakes.address) == 0
    assert (stakes.bond(operator), stakes.exit_at(operator)) == (0, 0)


def test_slashing_who_has_left_takes_nothing(stakes: Any, operator: str, judge: str) -> None:
    assert stakes.slash(operator, boa.env.generate_address(), sender=judge) == 0
    assert not stakes.get_logs()


def test_a_slashed_operator_may_come_back(stakes: Any, operator: str, judge: str) -> None:
    stakes.deposit(value=7, sender=operator)
    stakes.request_exit(sender=operator)
    stakes.slash(operator, judge, sender=judge)
    stakes.deposit(value=5, sender=operator)
    assert stakes.standing(operator) == 5


def test_only_the_judge_slashes(stakes: Any, operator: str, judge: str) -> None:
    stakes.deposit(value=7, sender=operator)
    for other in (operator, boa.env.eoa):
        with boa.reverts("Stakes: caller is not the judge"):
            stakes.slash(operator, other, sender=other)


def test_before_there_is_a_judge_nobody_slashes(stakes: Any, operator: str) -> None:
    with boa.reverts("Stakes: caller is not the judge"):
        stakes.slash(operator, operator, sender=operator)


def test_the_deployer_names_the_judge_once(stakes: Any, operator: str) -> None:
    with boa.reverts("Stakes: caller is not the deployer"):
        stakes.set_judge(operator, sender=operator)
    with boa.reverts("Stakes: judge is nobody"):
        stakes.set_judge("0x" + "00" * 20)
    stakes.set_judge(operator)
    (event,) = stakes.get_logs()
    assert event.judge == operator == stakes.judge()
    with boa.reverts("Stakes: judge is set already"):
        stakes.set_judge(operator)


def test_an_unbonding_time_that_would_overflow_is_refused() -> None:
    with boa.reverts("Stakes: unbonding is too long"):
        deploy("Stakes", 2**64)


REFUSER = """
@external
def deposit(stakes: address):
    raw_call(stakes, method_id("deposit()"), value=self.balance)

@external
def leave(stakes: address):
    raw_call(stakes, method_id("request_exit()"))

@external
def withdraw(stakes: address):
    raw_call(stakes, method_id("withdraw()"))
"""

REENTERER = (
    REFUSER
    + """
@external
@payable
def __default__():
    raw_call(msg.sender, method_id("withdraw()"))
"""
)


@pytest.mark.parametrize("source", [REFUSER, REENTERER], ids=["refuses ether", "reenters"])
def test_a_receiver_that_misbehaves_gets_nothing(stakes: Any, source: str) -> None:
    hostile = boa.loads(source)
    boa.env.set_balance(hostile.address, 7)
    hostile.deposit(stakes.address)
    hostile.leave(stakes.address)
    boa.env.time_travel(seconds=UNBONDING_S)
    with boa.reverts("Stakes: payment refused"):
        hostile.withdraw(stakes.address)
    assert stakes.bond(hostile.address) == boa.env.get_balance(stakes.address) == 7
