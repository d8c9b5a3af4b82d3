"""A model trained on labelled payments, with its two thresholds.

Scenario: the bank has cases of the past, confirmed and cleared; the model has learned what they
have in common, in the features of this stream.
Remedy: as the thresholds say, which were chosen by what mistakes cost; the case shows the
features that moved the score.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from veridict.core.nouns import SCORE_ONE, Decision, Policy
from veridict.watch.arrays import F64, I64
from veridict.watch.detectors.base import Alert, Example, Stateless, View

EXAMPLE = Example(
    (
        *((3600 * i, "alice", "shop", 2_000) for i in range(8)),
        (30_000, "alice", "shop", 30_000),
    ),
    alerts=(8,),
)


class Learned(Stateless):
    """`score`: features to raw scores, such as a canonical model's; `names` in its order."""

    name = "learned"
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, score: Callable[[F64], I64], names: tuple[str, ...], policy: Policy) -> None:
        self._score, self._names, self._policy = score, names, policy

    def judge(self, view: View) -> list[Alert]:
        numbers = [view.number(name) for name in self._names]
        scores = self._score(np.ascontiguousarray(view.x[:, numbers]))
        return [
            Alert(
                row,
                self.name,
                Decision(self._policy.decide(score)),
                f"the model's score {score / SCORE_ONE:.2f} is above its threshold",
                float(1.0 / (1.0 + np.exp(-score / SCORE_ONE))),
            )
            for row, score in enumerate(scores.tolist())
            if score >= self._policy.review_at
        ]
