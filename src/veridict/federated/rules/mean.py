"""The weighted mean (McMahan et al., "Communication-Efficient Learning", 2017)."""

from __future__ import annotations

from veridict.federated.fixed import I64, divide
from veridict.federated.rules.rule import SHARE_ONE, Aggregate, Rule


class Mean(Rule):
    """One hostile party moves it as far as the norm bound lets it."""

    name = "mean"

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        total = int(weights.sum())
        step = divide((updates * weights[:, None]).sum(axis=0), total)
        return Aggregate(step, tuple(int(w) * SHARE_ONE // total for w in weights))
