#pragma version 0.4.3
"""
@title What is paid without a human
@license Apache-2.0
@notice At most `max_auto_amount` a payment and `max_auto_per_day` a UTC day.
"""

DAY_S: constant(uint256) = 86400

max_auto_amount: public(immutable(uint256))
max_auto_per_day: public(immutable(uint256))

_spent: uint256  # day << 128 | paid automatically on that day


@deploy
def __init__(max_auto_amount_: uint256, max_auto_per_day_: uint256):
    max_auto_amount = max_auto_amount_
    max_auto_per_day = max_auto_per_day_


@external
@view
def auto_spent_today() -> uint256:
    """
    @notice What was paid without a human on this UTC day.
    """
    return self._spent_today()


@internal
def spend(amount: uint256) -> bool:
    """
    @notice Count `amount` as paid today, if it is within both bounds; else nothing changes.
    """
    spent: uint256 = self._spent_today() + amount
    if amount > max_auto_amount or spent > max_auto_per_day:
        return False
    self._spent = ((block.timestamp // DAY_S) << 128) | spent
    return True


@internal
@view
def _spent_today() -> uint256:
    if self._spent >> 128 != block.timestamp // DAY_S:
        return 0
    return self._spent & (2**128 - 1)
