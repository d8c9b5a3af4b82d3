"""Bulyan (El Mhamdi et al., "The Hidden Vulnerability of Distributed Learning", ICML 2018)."""

from __future__ import annotations

import numpy as np

from veridict.federated.fixed import I64, divide
from veridict.federated.rules.multikrum import krum_scores
from veridict.federated.rules.rule import Aggregate, Rule, distances2, equal_shares


class Bulyan(Rule):
    """Krum chooses θ = n - 2·faulty updates; per parameter, the θ - 2·faulty nearest the median."""

    name = "bulyan"

    @property
    def least(self) -> int:
        return 4 * self.faulty + 3

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        chosen = self._choose(updates)
        rows = np.sort(updates[chosen], axis=0)
        theta = len(chosen)
        kept = theta - 2 * self.faulty
        median = rows[(theta - 1) // 2]
        # Those nearest the median are neighbours in order: the best window of `kept` rows.
        spread = np.stack(
            [
                np.maximum(median - rows[i], rows[i + kept - 1] - median)
                for i in range(theta - kept + 1)
            ]
        )
        first = spread.argmin(axis=0)
        window = np.take_along_axis(rows, first[None, :] + np.arange(kept)[:, None], axis=0)
        return Aggregate(divide(window.sum(axis=0), kept), equal_shares(chosen, len(updates)))

    def _choose(self, updates: I64) -> I64:
        distances = distances2(updates)
        left = list(range(len(updates)))
        chosen: list[int] = []
        while len(chosen) < len(updates) - 2 * self.faulty:
            scores = krum_scores(distances, left, self.faulty)
            best = min(left, key=lambda i: (scores[i], i)) if len(left) > 1 else left[0]
            chosen.append(best)
            left.remove(best)
        return np.array(sorted(chosen), np.int64)
