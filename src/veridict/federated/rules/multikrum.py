"""MultiKrum (Blanchard et al., "Machine Learning with Adversaries", NeurIPS 2017)."""

from __future__ import annotations

import numpy as np

from veridict.federated.fixed import I64, divide
from veridict.federated.rules.rule import Aggregate, Rule, distances2, equal_shares


class MultiKrum(Rule):
    """The mean of the n - faulty updates whose n - faulty - 2 neighbours are nearest."""

    name = "multikrum"

    @property
    def least(self) -> int:
        return 2 * self.faulty + 3

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        n = len(updates)
        scores = krum_scores(distances2(updates), list(range(n)), self.faulty)
        chosen = np.array(sorted(sorted(range(n), key=lambda i: (scores[i], i))[: n - self.faulty]))
        step = divide(updates[chosen].sum(axis=0), len(chosen))
        return Aggregate(step, equal_shares(chosen, n))


def krum_scores(distances: list[list[int]], among: list[int], faulty: int) -> dict[int, int]:
    """Index → sum of the squared distances to its |among| - faulty - 2 nearest (at least one)."""
    nearest = max(1, len(among) - faulty - 2)
    return {i: sum(sorted(distances[i][j] for j in among if j != i)[:nearest]) for i in among}
