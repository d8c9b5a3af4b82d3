"""Guard: tokens that misbehave move nothing."""

from __future__ import annotations

from collections.abc import Callable

import boa

from tests.support import contracts as c
from tests.support.contracts import deploy_world, words
from veridict.assurance.signed import sign_prediction

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


# Before it moves anything it calls the guard, and does not mind being refused.
CALLING_TOKEN = """
balanceOf: public(HashMap[address, uint256])
data: Bytes[1024]
calls: public(uint256)
succeeded: public(bool)

@external
def upon_transfer(data: Bytes[1024]):
    self.data = data

@external
def act(to: address, data: Bytes[1024]):
    raw_call(to, data)

@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount

@internal
def _move(a: address, b: address, amount: uint256, guard: address) -> bool:
    if len(self.data) > 0:
        self.calls += 1
        self.succeeded = raw_call(guard, self.data, revert_on_failure=False)
    self.balanceOf[a] -= amount
    self.balanceOf[b] += amount
    return True

@external
def transferFrom(a: address, b: address, amount: uint256) -> bool:
    return self._move(a, b, amount, b)

@external
def transfer(b: address, amount: uint256) -> bool:
    return self._move(msg.sender, b, amount, msg.sender)
"""


def test_no_payment_moves_within_another() -> None:
    """The token is the human and a payer, too, so that only the lock is in its way."""
    token = boa.loads(CALLING_TOKEN)
    world = deploy_world(token=token.address, human=token.address, reclaim_after=c.WINDOW_S)
    guard = world.guard
    for holder in (world.payer, token.address):
        token.mint(holder, 5_000)
    payment, other = world.open(300), world.open(200)
    token.act(guard.address, guard.open.prepare_calldata(world.payee, 400))
    record, deadline = world.record(other), boa.env.timestamp + c.WINDOW_S
    log = world.publish([record])
    chain_id = boa.env.evm.patch.chain_id
    signature = sign_prediction(world.operator, record, guard.address, chain_id, deadline)
    boa.env.time_travel(seconds=c.WINDOW_S)

    nested = [
        guard.open.prepare_calldata(world.payee, 50),
        guard.reclaim.prepare_calldata(guard.payments()),
        guard.release.prepare_calldata(other),
        guard.refuse.prepare_calldata(other),
        guard.settle_signed.prepare_calldata(other, words(record), c.SALT, deadline, signature),
        guard.settle_anchored.prepare_calldata(*world.anchored(other, log, 0)),
    ]
    outer: list[Callable[[], object]] = [
        lambda: world.open(10),
        lambda: guard.reclaim(payment, sender=world.payer),
        lambda: token.act(guard.address, guard.release.prepare_calldata(payment)),
        lambda: token.act(guard.address, guard.refuse.prepare_calldata(payment)),
        lambda: world.settle_signed(payment, world.record(payment)),
    ]
    for data in nested:
        with boa.env.anchor():
            token.act(guard.address, data)  # alone, it would do
        token.upon_transfer(data)
        for act in outer:
            with boa.env.anchor():
                before = token.balanceOf(guard)
                act()
                assert (token.calls(), token.succeeded()) == (1, False)
                assert token.balanceOf(guard) - before in (10, -300)
        token.upon_transfer(b"")
