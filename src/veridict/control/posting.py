"""When to post a batch: rules that say up to which fee, and a deadline that none can move.

    AtOnce       the yardstick: what it costs not to wait
    Threshold    a share of the recent mean, which rises towards the deadline
    Planner      (`waiting`) what waiting is worth, by optimal stopping on forecasts

A rule answers with the highest fee it would pay now. Fees are wei a gas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from veridict.control.blocks import F64


@dataclass(frozen=True, slots=True)
class Ask:
    """Asked when a block has closed: the next one charges `next_fee_wei`, exactly.

    `recent_wei`: base fees, oldest first, up to the closed block. `row`: its features,
    float64[1, N_FEATURES]; None where they are not known or not to be trusted.
    """

    left_blocks: int
    next_fee_wei: int
    recent_wei: Sequence[int] = ()
    row: F64 | None = None


class PostingRule(Protocol):
    """Pure: the same question, the same answer."""

    def accepts(self, ask: Ask) -> int:
        """The highest fee worth paying now."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    def accepts(self, ask: Ask) -> int:
        return ask.next_fee_wei


@dataclass(frozen=True, slots=True)
class Threshold:
    """`end - depth · sqrt(left / bound)` of the mean of the last `span` blocks.

    Tuned by `savings.tune`; these numbers came of October to December 2023.
    """

    bound: int = 600
    span: int = 600
    depth: float = 0.2
    end: float = 1.0

    def share(self, left_blocks: int) -> float:
        part = min(max(left_blocks / self.bound, 0.0), 1.0)
        return float(self.end - self.depth * part**0.5)

    def accepts(self, ask: Ask) -> int:
        seen = ask.recent_wei[-self.span :]
        if not seen:
            return ask.next_fee_wei
        return int(sum(seen) / len(seen) * self.share(ask.left_blocks))


def should_post(rule: PostingRule, ask: Ask) -> bool:
    """Whether to post in the next block: `rule`, held to the deadline.

    One block is kept in hand, in case a slot is missed.
    """
    return ask.left_blocks <= 1 or ask.next_fee_wei <= rule.accepts(ask)
