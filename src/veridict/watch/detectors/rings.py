"""Money that goes round, or spreads and meets again.

Scenario: laundering. A sum is sent through accounts that belong together until it is back, or is
split over many and gathered by one, to hide where it came from.
Remedy: review the ring as one case, not payment by payment; the graph names its members.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Example, Stateless, View

EXAMPLE = Example(
    (
        (0, "a", "b", 90_000),
        (3600, "b", "c", 89_000),
        (7200, "c", "d", 88_000),
        (9000, "x", "y", 1_000),
        (9900, "d", "a", 87_000),
    ),
    alerts=(4,),
)


class Rings(Stateless):
    """Cycles of three accounts and more, scatter-gathers of three ways and more.

    Two accounts that pay each other back are everyday life, and so is one that many pay.
    """

    name = "rings"
    needs: ClassVar[tuple[str, ...]] = (
        "cycles_3", "cycles_4", "cycles_5", "cycles_6_10", "shortest_cycle", "scatter_3",
        "scatter_4",
    )  # fmt: skip

    def judge(self, view: View) -> list[Alert]:
        c3, c4, c5, c6, _, s3, s4 = map(view.feature, self.needs)
        cycle, gather = c3 + c4 + c5 + c6, s3 + s4
        alerts = []
        for row in np.flatnonzero((cycle > 0) | (gather > 0)).tolist():
            name = "scatter_4" if s4[row] > 0 else "scatter_3"
            name, strength = ("shortest_cycle", 1.0) if cycle[row] > 0 else (name, 0.8)
            reason = view.sentence(row, name)
            alerts.append(Alert(row, self.name, Decision.REVIEW, reason, strength))
        return alerts
