"""Gradient-boosted trees over histograms (Chen & Guestrin, "XGBoost", KDD 2016), level by level.

A round asks for one histogram: of every open node of the growing tree, for each feature and
each bin, the sums of first and second derivatives of the log loss, per row. What the rule
makes of them splits the nodes, the same way for everybody, since everything that decides is
an integer or one IEEE operation on integers. Bin 0 holds what is missing and goes left of
every cut, as NaN lies below all numbers in the canonical model's order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput, UnsupportedModel
from veridict.core.nouns import SCORE_ONE
from veridict.federated.fixed import F64, I64, ONE, Clip
from veridict.federated.learners.forest import Forest
from veridict.federated.learners.learner import Learner, Rows, Scale, probability

if TYPE_CHECKING:
    from veridict.models.compile import Compiled

_SECOND_MAX = 0.25  # of p·(1 - p)


class Trees(Learner):
    """`trees` of `depth` levels; `rate`, `l2` and `least` (share of all rows' second derivatives
    that a side must hold) as usual. Cuts come from the common scale.
    """

    name = "trees"

    def __init__(
        self,
        scale: Scale,
        *,
        trees: int = 40,
        depth: int = 3,
        rate: float = 0.2,
        l2: float = 1e-3,
        least: float = 2e-3,
    ) -> None:
        super().__init__(scale)
        if not (1 <= trees <= 5000 and 1 <= depth <= 8 and 0 < rate <= 1 and l2 > 0):
            raise BadInput("settings out of range", remedy="1-5000 trees, depth 1-8, rate 0-1")
        self._trees, self._depth, self._rate = trees, depth, rate
        self._l2, self._least = l2, least
        self._bins = 2 + max(len(edges) for edges in scale.edges)
        # No histogram of derivatives per row is longer: |g| <= 1 and h <= 1/4 of each row.
        self._clip = Clip.of(math.sqrt(len(scale.names) * (1 + _SECOND_MAX**2)))
        self._unit = self._clip.norm / ONE

    # -- a round ------------------------------------------------------------------------------

    def start(self) -> bytes:
        return Forest.empty().encode()

    def check(self, state: bytes) -> None:
        Forest.decode(state, len(self.scale.names), self._bins)

    def length(self, state: bytes) -> int:
        return self._forest(state).open_nodes * len(self.scale.names) * self._bins * 2

    def clip(self, state: bytes) -> Clip:
        return self._clip

    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        forest, bins = self._forest(state), self._binned(rows.features)
        chance = probability(forest.sums(bins) / SCORE_ONE)
        first, second = chance - rows.labels, chance * (1 - chance)
        node = forest.where(bins)
        histogram = np.zeros((forest.open_nodes, len(self.scale.names), self._bins, 2))
        inside = node >= 0
        for feature in range(bins.shape[1]):
            place = node[inside] * self._bins + bins[inside, feature]
            for kind, values in enumerate((first, second)):
                counted = np.bincount(
                    place, weights=values[inside], minlength=forest.open_nodes * self._bins
                )
                histogram[:, feature, :, kind] = counted.reshape(-1, self._bins)
        return histogram.ravel() / len(rows)

    def moved(self, state: bytes, step: I64) -> bytes:
        forest = self._forest(state)
        shape = (forest.open_nodes, len(self.scale.names), self._bins, 2)
        return self._grow(forest, step.reshape(shape)).encode()

    def finished(self, state: bytes) -> bool:
        return len(self._forest(state).grown) >= self._trees

    @property
    def rounds(self) -> int:
        return self._trees * self._depth

    @property
    def row_bounded(self) -> bool:
        return True

    # -- the model ----------------------------------------------------------------------------

    def scores(self, state: bytes, features: F64) -> F64:
        return self._forest(state).sums(self._binned(features)) / SCORE_ONE

    def compiled(self, state: bytes) -> Compiled:
        from veridict.models.compile.ensemble import Ensemble, SourceTree, compile_ensemble
        from veridict.models.compile.outcome import Link
        from veridict.models.compile.splits import Split

        grown = self._forest(state).grown
        if not grown:
            raise UnsupportedModel("no tree is grown yet", remedy="train a round more")
        trees = [
            SourceTree(
                splits=[
                    Split(f, (self.scale.edges[f][cut - 1],), True, False, left, right)
                    for f, cut, left, right in tree.splits
                ],
                leaves=tree.leaves,
                weights=[1] * len(tree.leaves),
            )
            for tree in grown
        ]
        return compile_ensemble(
            Ensemble("federated trees", self.scale.names, (0,), trees, Link.LOGIT, rounded=0)
        )

    # -- growing ------------------------------------------------------------------------------

    def _grow(self, forest: Forest, histogram: I64) -> Forest:
        """One level: each open node is split, or becomes a leaf."""
        last = forest.level + 1 == self._depth
        cuts = [self._best_cut(histogram[at]) for at in range(forest.open_nodes)]
        leaves = [
            (
                self._leaf(histogram[at], cut, right=False),
                self._leaf(histogram[at], cut, right=True),
            )
            for at, cut in enumerate(cuts)
        ]
        return forest.levelled(cuts, leaves, last=last)

    def _best_cut(self, histogram: I64) -> tuple[int, int] | None:
        """(feature, cut) of the largest gain: bins below `cut` go left; None where none helps."""
        below = histogram.cumsum(axis=1)  # [feature, bin, 2]
        whole = below[:, -1:, :]
        left, right = below[:, :-1, :], whole - below[:, :-1, :]
        gain = self._worth(left) + self._worth(right) - self._worth(whole)
        least = self._least / self._unit
        fits = (left[..., 1] >= least) & (right[..., 1] >= least)
        for feature, edges in enumerate(self.scale.edges):
            fits[feature, len(edges) + 1 :] = False
        fits[:, 0] = False  # a cut behind bin 0 would part missing from present: no such float
        gain = np.where(fits, gain, -1.0)
        best = int(gain.argmax())
        if gain.flat[best] <= 1e-9:
            return None
        feature, at = divmod(best, gain.shape[1])
        return feature, at

    def _worth(self, sums: I64) -> F64:
        first, second = sums[..., 0] * self._unit, np.maximum(sums[..., 1], 0) * self._unit
        worth: F64 = first * first / (second + self._l2)
        return worth

    def _leaf(self, histogram: I64, cut: tuple[int, int] | None, *, right: bool) -> int:
        """Newton's step of a side, in units of 2^-32; of the whole node where it is not cut."""
        if cut is None:
            first, second = histogram[0].sum(axis=0)
        else:
            feature, at = cut
            side = histogram[feature, at + 1 :] if right else histogram[feature, : at + 1]
            first, second = side.sum(axis=0)
        first, second = int(first) * self._unit, max(int(second), 0) * self._unit
        value = -self._rate * first / (second + self._l2)
        return round(max(-8.0, min(8.0, value)) * SCORE_ONE)

    def _binned(self, features: F64) -> NDArray[np.intp]:
        """0 where missing; else 1 + how many edges lie below: values at an edge go left of it."""
        if features.shape[1] != len(self.scale.names):
            raise BadInput(
                f"rows of {features.shape[1]} features in a federation of {len(self.scale.names)}",
                remedy=f"bring, in this order: {', '.join(self.scale.names)}",
            )
        columns = []
        for column, edges in zip(features.T, self.scale.edges, strict=True):
            place = np.searchsorted(np.array(edges), column, side="left") + 1
            columns.append(np.where(np.isnan(column), 0, place))
        return np.stack(columns, axis=1)

    def _forest(self, state: bytes) -> Forest:
        return Forest.decode(state, len(self.scale.names), self._bins)
