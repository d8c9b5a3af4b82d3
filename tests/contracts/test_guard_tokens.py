"""Guard: tokens that misbehave move nothing."""

from __future__ import annotations

import boa

from tests.support.contracts import deploy_world

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
