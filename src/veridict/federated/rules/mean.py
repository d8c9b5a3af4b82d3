"""The weighted mean (McMahan et al., "Communication-Efficient Learning", 2017)."""

from __future__ import annotations

from veridict.federated.rules.combined import Combination, CombinedRule, Measures
from veridict.federated.rules.rule import SHARE_ONE


class Mean(CombinedRule):
    """One hostile party moves it as far as the norm bound lets it."""

    name = "mean"

    def combination(self, measures: Measures) -> Combination:
        total = sum(measures.weights)
        shares = tuple(weight * SHARE_ONE // total for weight in measures.weights)
        return Combination(measures.weights, total, shares)
