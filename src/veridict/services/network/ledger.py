"""The savings ledger: what rules would have paid on blocks that are known, month by month.

Batches come every few minutes; each may wait up to a bound. Beside every rule stand posting
at once, which saves nothing, and hindsight, which nobody can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from veridict.control.base_fee import FeeRule
from veridict.control.blocks import F64, I64, BlockTable
from veridict.control.joining import at_levels
from veridict.control.savings import Savings, replay, threshold_accepts
from veridict.control.waiting import Planner, planner_accepts
from veridict.core.errors import BadInput

BATCH_EVERY = 25  # blocks


@dataclass(frozen=True, slots=True)
class MonthSavings:
    """One month (UTC), by the time at which batches came; "all" at the end."""

    month: str
    threshold: Savings
    planner: Savings


def savings_by_month(
    table: BlockTable,
    features: F64,
    planner: Planner,
    rule: FeeRule,
    *,
    bound: int,
    start: int = 0,
    every: int = BATCH_EVERY,
) -> list[MonthSavings]:
    """Of batches that came from row `start` on. Raises BadInput where none can wait so long."""
    starts = np.arange(start, len(table) - bound, every)
    if not len(starts):
        raise BadInput(
            f"no batch can wait {bound} blocks in {len(table) - start}",
            remedy="pass more blocks, or a smaller bound",
        )
    upcoming = rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit).astype(
        np.float64
    )
    worth = np.ones((len(table), len(planner.knots)))
    worth[start:] = at_levels(planner.compiled, features[start:], planner.knots)
    fees = table.base_fee_wei.astype(np.float64)
    by_rule = [
        replay(upcoming, starts, bound, accepts)
        for accepts in (
            threshold_accepts(planner.threshold, fees),
            planner_accepts(worth, planner.knots, upcoming, planner.patience),
        )
    ]
    months = np.array([_month(time_s) for time_s in table.time_s[starts].tolist()])
    parts = [(month, months == month) for month in sorted(set(months.tolist()))]
    parts.append(("all", np.ones(len(starts), bool)))

    def part(paid: F64, chosen: I64) -> Savings:
        return Savings.of(upcoming, starts[chosen], paid[chosen], bound)

    return [MonthSavings(name, *(part(paid, chosen) for paid in by_rule)) for name, chosen in parts]


def _month(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m")
