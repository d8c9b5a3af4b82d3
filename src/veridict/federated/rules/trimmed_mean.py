"""The mean of every parameter without its extremes (Yin et al., 2018)."""

from __future__ import annotations

import numpy as np

from veridict.federated.fixed import I64, divide
from veridict.federated.rules.rule import Aggregate, Rule, equal_shares


class TrimmedMean(Rule):
    """The `faulty` smallest and largest values of every parameter are left out."""

    name = "trimmed-mean"

    @property
    def least(self) -> int:
        return 2 * self.faulty + 1

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        n = len(updates)
        kept = np.sort(updates, axis=0)[self.faulty : n - self.faulty]
        return Aggregate(divide(kept.sum(axis=0), len(kept)), equal_shares(np.arange(n), n))
