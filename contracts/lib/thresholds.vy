#pragma version 0.4.3
"""
@title The thresholds of a guard
@license Apache-2.0
@notice Scores from `review_at` on wait for the human, from `hold_at` on they are held; both in
        units of 2^-32. The human may move them, below ceilings that are fixed for ever, and
        only after a delay in which everybody can see it coming.
"""

from . import control

uses: control


event ThresholdsProposed:
    review_at: int64
    hold_at: int64
    effective_at: uint256


event ThresholdsChanged:
    review_at: int64
    hold_at: int64


review_ceiling: public(immutable(int64))
hold_ceiling: public(immutable(int64))
change_delay_s: public(immutable(uint256))

review_at: public(int64)
hold_at: public(int64)

_next_review_at: int64
_next_hold_at: int64
_next_effective_at: uint256


@deploy
def __init__(
    review_at_: int64,
    hold_at_: int64,
    review_ceiling_: int64,
    hold_ceiling_: int64,
    change_delay_s_: uint256,
):
    review_ceiling = review_ceiling_
    hold_ceiling = hold_ceiling_
    change_delay_s = change_delay_s_
    self._bounded(review_at_, hold_at_, review_ceiling_, hold_ceiling_)
    self._change(review_at_, hold_at_)


@external
def propose_thresholds(review_at: int64, hold_at: int64):
    """
    @notice Announce other thresholds, within the ceilings; `apply_thresholds` after the delay.
            Proposing again replaces the proposal and starts the delay anew.
    """
    control.only_human()
    self._bounded(review_at, hold_at, review_ceiling, hold_ceiling)
    effective_at: uint256 = block.timestamp + change_delay_s
    self._next_review_at = review_at
    self._next_hold_at = hold_at
    self._next_effective_at = effective_at
    log ThresholdsProposed(review_at=review_at, hold_at=hold_at, effective_at=effective_at)


@external
def apply_thresholds():
    """
    @notice Put the proposed thresholds into effect.
    """
    control.only_human()
    assert self._next_effective_at > 0, "Guard: nothing is proposed"
    assert block.timestamp >= self._next_effective_at, "Guard: change is cooling down"
    self._next_effective_at = 0
    self._change(self._next_review_at, self._next_hold_at)


@external
@view
def proposed_thresholds() -> (int64, int64, uint256):
    """
    @notice (review_at, hold_at, effective_at); effective_at is 0 when nothing is proposed.
    """
    return self._next_review_at, self._next_hold_at, self._next_effective_at


@internal
@pure
def _bounded(review_at: int64, hold_at: int64, review_most: int64, hold_most: int64):
    assert review_at <= hold_at, "Guard: review_at is above hold_at"
    assert review_at <= review_most, "Guard: review_at is above its ceiling"
    assert hold_at <= hold_most, "Guard: hold_at is above its ceiling"


@internal
def _change(review_at: int64, hold_at: int64):
    self.review_at = review_at
    self.hold_at = hold_at
    log ThresholdsChanged(review_at=review_at, hold_at=hold_at)
