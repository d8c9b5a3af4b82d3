#pragma version 0.4.3
"""
@title Payments held by a guard
@license Apache-2.0
@notice Tokens come in with `open` and leave once: to the payee or back to the payer. What is
        undecided the human decides, and after `reclaim_after` seconds the payer may take it back.
@dev    A payment is two packed slots. Its state is written before its tokens move.
"""

from ethereum.ercs import IERC20

from . import control

uses: control


event PaymentOpened:
    id: indexed(uint256)
    payer: indexed(address)
    payee: indexed(address)
    amount: uint256


event PaymentReleased:
    id: indexed(uint256)


event PaymentRefused:
    id: indexed(uint256)


event PaymentReclaimed:
    id: indexed(uint256)


struct Payment:
    payer: address
    payee: address
    amount: uint256
    state: uint256
    opened_at: uint256


# States of a payment; from PAID on they are final.
UNKNOWN: constant(uint256) = 0
OPEN: constant(uint256) = 1
REVIEW: constant(uint256) = 2
HELD: constant(uint256) = 3
PAID: constant(uint256) = 4  # on a prediction
RELEASED: constant(uint256) = 5  # to the payee, by the human
REFUSED: constant(uint256) = 6  # back to the payer, by the human
RECLAIMED: constant(uint256) = 7  # back to the payer, by the payer

MAX_AMOUNT: constant(uint256) = 2**96 - 1

token: public(immutable(IERC20))
reclaim_after: public(immutable(uint256))

payments: public(uint256)  # how many were opened; ids count from 1
_parties: HashMap[uint256, uint256]  # payer << 96 | opened_at u64 << 8 | state u8
_transfers: HashMap[uint256, uint256]  # payee << 96 | amount u96


@deploy
def __init__(token_: address, reclaim_after_: uint256):
    assert token_.is_contract, "Guard: token is not a contract"
    token = IERC20(token_)
    reclaim_after = reclaim_after_


# --- the payer ---


@external
@nonreentrant
def open(payee: address, amount: uint256) -> uint256:
    """
    @notice Hand `amount` of the token to the guard, for `payee`.
    @return The payment's id
    """
    control.not_paused()
    assert amount > 0, "Guard: amount is zero"
    assert amount <= MAX_AMOUNT, "Guard: amount is too large"
    assert payee != empty(address) and payee != self, "Guard: payee cannot be paid"

    id: uint256 = self.payments + 1
    self.payments = id
    self._parties[id] = self._pack_party(msg.sender, block.timestamp, OPEN)
    self._transfers[id] = (convert(payee, uint256) << 96) | amount
    log PaymentOpened(id=id, payer=msg.sender, payee=payee, amount=amount)
    self._pull(msg.sender, amount)
    return id


@external
@nonreentrant
def reclaim(id: uint256):
    """
    @notice Take back a payment that nothing and nobody decided within `reclaim_after` seconds.
    """
    payment: Payment = self._undecided(id)
    assert msg.sender == payment.payer, "Guard: caller is not the payer"
    assert block.timestamp >= payment.opened_at + reclaim_after, "Guard: too early to reclaim"
    self.enter(id, payment, RECLAIMED)
    log PaymentReclaimed(id=id)
    self.push(payment.payer, payment.amount)


# --- the human ---


@external
@nonreentrant
def release(id: uint256):
    """
    @notice Pay an undecided payment to its payee.
    """
    control.only_human()
    payment: Payment = self._undecided(id)
    self.enter(id, payment, RELEASED)
    log PaymentReleased(id=id)
    self.push(payment.payee, payment.amount)


@external
@nonreentrant
def refuse(id: uint256):
    """
    @notice Return an undecided payment to its payer.
    """
    control.only_human()
    payment: Payment = self._undecided(id)
    self.enter(id, payment, REFUSED)
    log PaymentRefused(id=id)
    self.push(payment.payer, payment.amount)


# --- views ---


@external
@view
def payment(id: uint256) -> Payment:
    """
    @notice (payer, payee, amount, state, opened_at). States: 0 none, 1 open, 2 review, 3 held,
            4 paid, 5 released, 6 refused, 7 reclaimed.
    """
    return self.get(id)


# --- for the guard ---


@internal
@view
def get(id: uint256) -> Payment:
    """
    @dev State UNKNOWN for an id that was never given.
    """
    party: uint256 = self._parties[id]
    transfer: uint256 = self._transfers[id]
    return Payment(
        payer=convert(party >> 96, address),
        payee=convert(transfer >> 96, address),
        amount=transfer & MAX_AMOUNT,
        state=party & 255,
        opened_at=(party >> 8) & (2**64 - 1),
    )


@internal
def enter(id: uint256, payment: Payment, state: uint256):
    """
    @dev Whoever enters a final state pushes the tokens next.
    """
    self._parties[id] = self._pack_party(payment.payer, payment.opened_at, state)


@internal
def push(to: address, amount: uint256):
    before: uint256 = staticcall token.balanceOf(self)
    assert extcall token.transfer(
        to, amount, default_return_value=True
    ), "Guard: token refused the transfer"
    assert (
        staticcall token.balanceOf(self) == before - amount
    ), "Guard: token moved another amount"


# --- small parts ---


@internal
def _pull(payer: address, amount: uint256):
    before: uint256 = staticcall token.balanceOf(self)
    assert extcall token.transferFrom(
        payer, self, amount, default_return_value=True
    ), "Guard: token refused the transfer"
    assert (
        staticcall token.balanceOf(self) == before + amount
    ), "Guard: token moved another amount"


@internal
@view
def _undecided(id: uint256) -> Payment:
    payment: Payment = self.get(id)
    assert payment.state != UNKNOWN, "Guard: unknown payment"
    assert payment.state <= HELD, "Guard: payment is settled already"
    return payment


@internal
@pure
def _pack_party(payer: address, opened_at: uint256, state: uint256) -> uint256:
    return (convert(payer, uint256) << 96) | (opened_at << 8) | state
