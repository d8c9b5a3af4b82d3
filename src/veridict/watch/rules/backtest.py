"""Rules tried on history before they go live: what each would have found, and at what work."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from veridict.watch.arrays import I8
from veridict.watch.detectors.base import View
from veridict.watch.metrics import share
from veridict.watch.rules.ruleset import RuleSet

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule over history; rows whose label is unknown count in `hits` and `per_day` only.

    `alone`: events that no other rule finds. `dead` never fired; `noisy` is right less often
    than one in fifty.
    """

    rule: str
    hits: int
    checked: int
    events: int
    alone: int
    precision: Decimal | None
    recall: Decimal | None
    per_day: float

    @property
    def remark(self) -> str:
        if not self.hits:
            return "never fired"
        if self.checked and self.precision is not None and self.precision < Decimal("0.02"):
            return "noisy"
        return "redundant" if self.events and not self.alone else ""


def backtest(rules: RuleSet, view: View, labels: I8) -> tuple[Tried, ...]:
    """Every rule, then all together under the name "all rules". labels: int8[rows], -1 unknown."""
    held = np.array([rule.when.rows(view) for rule in rules.rules])
    times_s = view.rows.times_s
    days = max(1.0, (int(times_s[-1]) - int(times_s[0])) / DAY_S)
    several = held.sum(axis=0)
    tried = [
        _tried(rule.name, mask, mask & (several == 1), labels, days)
        for rule, mask in zip(rules.rules, held, strict=True)
    ]
    any_rule = several > 0
    return (*tried, _tried("all rules", any_rule, any_rule, labels, days))


def _tried(name: str, mask: Any, alone: Any, labels: I8, days: float) -> Tried:
    known, events = labels >= 0, labels == 1
    found, checked = int((mask & events).sum()), int((mask & known).sum())
    return Tried(
        rule=name,
        hits=int(mask.sum()),
        checked=checked,
        events=found,
        alone=int((alone & events).sum()),
        precision=share(found, checked),
        recall=share(found, int(events.sum())),
        per_day=round(int(mask.sum()) / days, 2),
    )
