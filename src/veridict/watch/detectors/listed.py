"""Payments to and from accounts on a list of sanctions or warnings.

Scenario: a customer sends money to an address that a government has sanctioned, or to one that
has stolen before; or receives funds that came from there a few hops ago.
Remedy: hold the payment; sanctions leave no choice. Funds that only came near a list are for a
person to look at: distance is no guilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np

from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Example, Stateless, View
from veridict.watch.lists import normal

TAINT = ("payer_taint", "payee_taint", "payer_hops_from_label")
MIN_SHARE, MAX_HOPS = 0.1, 2

EXAMPLE = Example(
    (
        (0, "alice", "bob", 5_000),
        (60, "alice", "0x01e2919679362dFBC9ee1644Ba9C6da6D6245BB1", 5_000),
    ),
    alerts=(1,),
)


class Listed(Stateless):
    """`listed`: each name with the list it stands on; hex addresses in any case of letters."""

    name = "listed"
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, listed: Mapping[str, str]) -> None:
        self._listed = {normal(name): where for name, where in listed.items()}

    def judge(self, view: View) -> list[Alert]:
        alerts = []
        for side in ("payer", "payee"):
            for row, name in enumerate(view.rows.strings(side)):
                where = self._listed.get(normal(name))
                if where is not None:
                    reason = f"the {side} is on the list {where}"
                    alerts.append(Alert(row, self.name, Decision.HOLD, reason, 1.0))
        return alerts + (self._near(view) if all(map(view.has, TAINT)) else [])

    def _near(self, view: View) -> list[Alert]:
        share, hops = view.feature("payer_taint"), view.feature("payer_hops_from_label")
        own = hops == 0  # the list itself says it, and better
        near = (share >= MIN_SHARE) | (hops <= MAX_HOPS)
        alert = partial(Alert, detector=self.name, decision=Decision.REVIEW)
        return [
            alert(
                row=row,
                reason=view.sentence(
                    row, "payer_taint" if share[row] >= MIN_SHARE else "payer_hops_from_label"
                ),
                strength=float(max(share[row], 1.0 / (1.0 + hops[row]))),
            )
            for row in np.flatnonzero(near & ~own).tolist()
        ]
