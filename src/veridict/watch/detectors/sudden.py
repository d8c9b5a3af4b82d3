"""Payments far beyond what the payer is used to.

Scenario: a stolen card or key is used for one large payment before anybody notices.
Remedy: ask the customer on another channel; a genuine large payment is confirmed in a minute.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Example, Stateless, View

MIN_HISTORY = 5
REVIEW_TIMES, HOLD_TIMES, DEVIATIONS = 5.0, 20.0, 6.0

EXAMPLE = Example(
    (
        *((3600 * i, "alice", f"shop-{i % 3}", 2_000 + 100 * (i % 4)) for i in range(8)),
        (30_000, "alice", "stranger", 90_000),
    ),
    alerts=(8,),
)


class Sudden(Stateless):
    """Both in multiples of the habit and in deviations; held if large enough."""

    name = "sudden"
    needs: ClassVar[tuple[str, ...]] = ("payer_times_habit", "payer_deviations", "payer_history")

    def judge(self, view: View) -> list[Alert]:
        times, away, history = map(view.feature, self.needs)
        far = (times >= REVIEW_TIMES) & (history >= MIN_HISTORY)
        far &= (away >= DEVIATIONS) | np.isnan(away)  # no deviation at all: always the same amount
        return [
            Alert(
                row,
                self.name,
                Decision.HOLD if times[row] >= HOLD_TIMES else Decision.REVIEW,
                view.sentence(row, "payer_times_habit"),
                float(1.0 - REVIEW_TIMES / (REVIEW_TIMES + times[row])),
            )
            for row in np.flatnonzero(far).tolist()
        ]
