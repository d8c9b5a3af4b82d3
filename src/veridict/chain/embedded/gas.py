"""Prices of gas, and how much of it a call needs."""

from __future__ import annotations

from collections.abc import Callable

from veridict.chain.embedded.executor import Block, Outcome

SUGGESTED_TIP = 1_000_000  # wei; nobody competes for a place in an embedded block
ELASTICITY = 2  # EIP-1559
CHANGE_DENOMINATOR = 8  # EIP-1559
CALL_STIPEND = 2_300
ESTIMATE_SLACK = 32  # an estimate is at most 1/32 above the least that succeeds


def next_base_fee(block: Block) -> int:
    """EIP-1559: the base fee of the block after `block`."""
    target = block.gas_limit // ELASTICITY
    step = block.base_fee * abs(block.gas_used - target) // target // CHANGE_DENOMINATOR
    if block.gas_used > target:
        return block.base_fee + max(step, 1)
    return block.base_fee - step


def estimate(run: Callable[[int], Outcome], limit: int) -> tuple[int, Outcome]:
    """The gas with which the call succeeds, and its last outcome; at `limit` the call may fail.

    What it used is not enough where it forwards 63/64 of what is left, so there
    the least sufficient amount is searched for, between the two.
    """
    outcome = run(limit)
    if outcome.failure is not None:
        return limit, outcome
    if run(outcome.gas_peak).failure is None:  # it looks at no gas: the usual case
        return outcome.gas_peak, outcome
    low, high = outcome.gas_peak, limit
    guess = (outcome.gas_peak + CALL_STIPEND) * 64 // 63
    if guess < high:
        if run(guess).failure is None:
            high = guess
        else:
            low = guess
    while (high - low) * ESTIMATE_SLACK > high:
        middle = min((low + high) // 2, low * 2)
        if run(middle).failure is None:
            high = middle
        else:
            low = middle
    return high, outcome
