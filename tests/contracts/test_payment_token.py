"""PaymentToken: ERC-20, with an owner who mints."""

from __future__ import annotations

from typing import Any

import boa
import pytest

from tests.support.contracts import deploy

NOBODY = "0x" + "00" * 20


@pytest.fixture
def token() -> Any:
    return deploy("PaymentToken")


@pytest.fixture
def alice(token: Any) -> str:
    alice = boa.env.generate_address()
    token.mint(alice, 100)
    return str(alice)


def test_what_it_is(token: Any) -> None:
    assert (token.name(), token.symbol(), token.decimals()) == ("Payment Token", "PAY", 6)
    assert token.owner() == boa.env.eoa


def test_minting(token: Any, alice: str) -> None:
    (event,) = token.get_logs()
    assert (event.sender, event.receiver, event.value) == (NOBODY, alice, 100)
    assert token.totalSupply() == token.balanceOf(alice) == 100
    with boa.reverts("PaymentToken: caller is not the owner"):
        token.mint(alice, 1, sender=alice)
    with boa.reverts("PaymentToken: receiver is nobody"):
        token.mint(NOBODY, 1)


def test_a_transfer_moves(token: Any, alice: str) -> None:
    bob = boa.env.generate_address()
    assert token.transfer(bob, 30, sender=alice)
    (event,) = token.get_logs()
    assert (event.sender, event.receiver, event.value) == (alice, bob, 30)
    assert (token.balanceOf(alice), token.balanceOf(bob), token.totalSupply()) == (70, 30, 100)
    assert token.transfer(alice, 70, sender=alice)
    assert token.balanceOf(alice) == 70


def test_a_transfer_beyond_the_balance_is_refused(token: Any, alice: str) -> None:
    with boa.reverts("PaymentToken: balance is too small"):
        token.transfer(boa.env.eoa, 101, sender=alice)
    with boa.reverts("PaymentToken: receiver is nobody"):
        token.transfer(NOBODY, 1, sender=alice)


def test_an_allowance_is_used_up(token: Any, alice: str) -> None:
    bob = boa.env.generate_address()
    assert token.approve(bob, 50, sender=alice)
    (event,) = token.get_logs()
    assert (event.owner, event.spender, event.value) == (alice, bob, 50)
    assert token.transferFrom(alice, bob, 20, sender=bob)
    assert token.allowance(alice, bob) == 30
    with boa.reverts("PaymentToken: allowance is too small"):
        token.transferFrom(alice, bob, 31, sender=bob)


def test_an_unlimited_allowance_stays(token: Any, alice: str) -> None:
    bob = boa.env.generate_address()
    token.approve(bob, 2**256 - 1, sender=alice)
    token.transferFrom(alice, bob, 20, sender=bob)
    assert token.allowance(alice, bob) == 2**256 - 1


def test_ownership_moves(token: Any, alice: str) -> None:
    with boa.reverts("PaymentToken: caller is not the owner"):
        token.transfer_ownership(alice, sender=alice)
    with boa.reverts("PaymentToken: new owner is nobody"):
        token.transfer_ownership(NOBODY)
    token.transfer_ownership(alice)
    (event,) = token.get_logs()
    assert (event.previousOwner, event.newOwner) == (boa.env.eoa, alice)
    token.mint(alice, 1, sender=alice)
