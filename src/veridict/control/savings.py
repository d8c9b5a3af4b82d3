"""What posting cost, beside what it would have cost at once and what hindsight would have paid.

A batch that comes when block s has closed can be posted in any of the next `bound` blocks;
hindsight takes the cheapest of them. Savings are shares of the money that posting at once
would have cost, over all batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from veridict.control.blocks import F64, I64
from veridict.control.posting import Threshold

Accepts = Callable[[I64, int], F64]  # (blocks that closed, blocks left) -> fees accepted


@dataclass(frozen=True, slots=True)
class Savings:
    """Sums of wei a gas over `batches`."""

    batches: int
    at_once_wei: float
    paid_wei: float
    hindsight_wei: float

    @property
    def saved(self) -> float:
        """Share of the money that posting at once would have cost; negative for a loss."""
        return 1.0 - self.paid_wei / self.at_once_wei if self.at_once_wei else 0.0

    @property
    def hindsight_saved(self) -> float:
        return 1.0 - self.hindsight_wei / self.at_once_wei if self.at_once_wei else 0.0

    @property
    def of_hindsight(self) -> float:
        """What was saved over what could have been."""
        return self.saved / self.hindsight_saved if self.hindsight_saved else 0.0

    @classmethod
    def of(cls, upcoming: F64, starts: I64, paid: F64, bound: int) -> Savings:
        best = cheapest(upcoming, bound)[starts]
        sums = (float(part.sum()) for part in (upcoming[starts], paid, best))
        return cls(len(starts), *sums)


def replay(upcoming: F64, starts: I64, bound: int, accepts: Accepts) -> F64:
    """Fees paid, float64[len(starts)], by a rule; upcoming[t]: the fee after block t."""
    paid = np.full(len(starts), np.nan)
    waiting = np.arange(len(starts))
    for step in range(bound):
        at = starts[waiting] + step
        fee = upcoming[at]
        now = fee <= accepts(at, bound - step) if step < bound - 1 else np.ones(len(at), bool)
        paid[waiting[now]] = fee[now]
        waiting = waiting[~now]
        if not len(waiting):
            break
    return paid


def cheapest(upcoming: F64, bound: int) -> F64:
    """float64[n]: the least of upcoming[t .. t + bound - 1]; shorter at the end."""
    best, reach = upcoming.copy(), 1
    while reach < bound:
        step = min(reach, bound - reach)
        best[:-step] = np.minimum(best[:-step], best[step:])
        reach += step
    return best


def trailing_mean(fees: F64, span: int) -> F64:
    """float64[n]: mean of the last `span` values up to each; of fewer at the start."""
    sums = np.concatenate([[0.0], np.cumsum(fees)])
    ends = np.arange(1, len(fees) + 1)
    begins = np.maximum(ends - span, 0)
    return cast(F64, (sums[ends] - sums[begins]) / (ends - begins))


def threshold_accepts(rule: Threshold, fees: F64) -> Accepts:
    """`rule` for a replay; `fees`: base fees of the closed blocks."""
    means = trailing_mean(fees, rule.span)
    return lambda at, left: means[at] * rule.share(left)


def tune(
    fees: F64,
    upcoming: F64,
    starts: I64,
    bound: int,
    spans: Iterable[int] = (100, 300, 600, 1_800),
    depths: Sequence[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45),
    ends: Sequence[float] = (0.9, 1.0, 1.1),
) -> Threshold:
    """The threshold that would have cost least on these blocks; the first of equals."""
    best, least = Threshold(bound), float("inf")
    for span in spans:
        means = trailing_mean(fees, span)
        for depth in depths:
            for end in ends:
                rule = Threshold(bound, span, depth, end)
                paid = replay(upcoming, starts, bound, _by(means, rule))
                if (total := float(paid.sum())) < least:
                    best, least = rule, total
    return best


def _by(means: F64, rule: Threshold) -> Accepts:
    return lambda at, left: means[at] * rule.share(left)
