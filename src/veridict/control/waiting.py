"""What waiting is worth: optimal stopping, by regression on how waiting has turned out.

With n blocks left, posting now costs the next block's fee; waiting costs what the best rule
pays from the next block on. Its expectation C(n, features), as a share of the next fee, is
learned at a few n (KNOTS) and read in between. The rule posts where the fee is at most that:
dynamic programming by policy iteration (Longstaff and Schwartz 2001: the targets are costs
that a rule really paid, not other estimates). It starts from the tuned threshold, and that
is what it falls back to.

Where C is said too high by chance, the rule posts too early and never learns better; where too
low, it only asks again. So the rule pays a little less than C: `patience`, tuned on the same
blocks as the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from veridict.control.base_fee import MAINNET, FeeRule
from veridict.control.blocks import F64, I64, BlockTable
from veridict.control.features import NAMES
from veridict.control.horizons import Growth, Settings
from veridict.control.joining import at_levels, join
from veridict.control.learning import boost
from veridict.control.posting import Ask, Threshold
from veridict.control.savings import Accepts, replay, threshold_accepts, tune
from veridict.core.errors import BadInput
from veridict.core.progress import Progress, Step, silent
from veridict.models.compile import Compiled

KNOTS = (5, 25, 75, 150, 300, 600)
LEFT = "blocks left"
ROUNDS = 2
GROWTH = Growth(80, 31, 0.08, 400)
START_EVERY = 25
PATIENCE = (1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.93)


@dataclass(frozen=True, slots=True)
class Planner:
    """`compiled` tells C at each of `knots`; `threshold` answers without trusted features.

    It accepts `patience` times C.
    """

    compiled: Compiled
    knots: tuple[int, ...]
    threshold: Threshold
    patience: float = 1.0

    def accepts(self, ask: Ask) -> int:
        if ask.row is None:
            return self.threshold.accepts(ask)
        worth = at_levels(self.compiled, ask.row, self.knots)
        share = self.patience * at_left(worth, self.knots, ask.left_blocks)[0]
        return int(ask.next_fee_wei * share)


def at_left(worth: F64, knots: Sequence[int], left: int) -> F64:
    """`worth` [n, knots] read at `left` blocks, between knots by the logarithm; 1 at the last."""
    if left <= 1:
        return np.ones(len(worth))
    marks = np.log([1, *knots])
    at = float(np.log(min(left, knots[-1])))
    upper = int(np.searchsorted(marks, at))
    share = (at - marks[upper - 1]) / (marks[upper] - marks[upper - 1])
    lower = worth[:, upper - 2] if upper > 1 else np.ones(len(worth))
    return cast(F64, lower + share * (worth[:, upper - 1] - lower))


def planner_accepts(
    worth: F64, knots: Sequence[int], upcoming: F64, patience: float = 1.0
) -> Accepts:
    """A planner for a replay; `worth` [n, knots] of all blocks."""
    return lambda at, left: upcoming[at] * patience * at_left(worth[at], knots, left)


def most_saving(upcoming: F64, starts: I64, worth: F64, knots: Sequence[int]) -> float:
    """The patience that would have cost least; the first of equals."""

    def cost(patience: float) -> float:
        accepts = planner_accepts(worth, knots, upcoming, patience)
        return float(replay(upcoming, starts, knots[-1], accepts).sum())

    return min(PATIENCE, key=cost)


def learn_planner(
    table: BlockTable,
    features: F64,
    *,
    rule: FeeRule = MAINNET,
    settings: Settings | None = None,
    knots: tuple[int, ...] = KNOTS,
    progress: Progress = silent,
) -> Planner:
    """From the blocks of the past and their features. Raises BadInput for too few blocks."""
    chosen, bound = settings or Settings(), knots[-1]
    begin = min(chosen.warm_up, len(table) // 3)
    last = len(table) - bound
    if last - begin < 2 * bound:
        raise BadInput(
            f"{len(table)} blocks are too few to learn to wait up to {bound}",
            remedy="pass more blocks, or a smaller bound",
        )
    fees = table.base_fee_wei.astype(np.float64)
    after = rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    upcoming = after.astype(np.float64)
    starts = np.arange(begin, last, max(START_EVERY, (last - begin) // 20_000))
    threshold = tune(fees, upcoming, starts, bound)
    sample = np.arange(begin, last - 1, max(1, (last - begin) // (chosen.rows // 3)))
    accepts = threshold_accepts(threshold, fees)
    for turn in range(ROUNDS):
        boosters: list[Any] = []
        for done, left in enumerate(knots):
            progress(Step(None, f"learning to wait {left} blocks", turn * len(knots) + done))
            cost = replay(upcoming, sample + 1, left - 1, accepts) / upcoming[sample]
            boosters.append(boost(features[sample], cost, GROWTH, None, chosen))
        compiled = join(boosters, knots, NAMES, LEFT)
        worth = at_levels(compiled, features, knots)
        accepts = planner_accepts(worth, knots, upcoming)
    patience = most_saving(upcoming, starts, worth, knots)
    return Planner(compiled, knots, threshold, patience)
