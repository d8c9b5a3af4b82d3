"""The median of every parameter (Yin et al., "Byzantine-Robust Distributed Learning", 2018)."""

from __future__ import annotations

import numpy as np

from veridict.federated.fixed import I64, divide
from veridict.federated.rules.rule import Aggregate, Rule, equal_shares


class Median(Rule):
    """Withstands fewer than half; blind to what honest parties differ in."""

    name = "median"

    @property
    def least(self) -> int:
        return 2 * self.faulty + 1

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        n = len(updates)
        middle = np.sort(updates, axis=0)[(n - 1) // 2 : n // 2 + 1]
        step = divide(middle.sum(axis=0), len(middle))
        return Aggregate(step, equal_shares(np.arange(n), n))
