"""Does the canonical model agree with its source, on the user's own rows?"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from veridict.core.nouns import SCORE_ONE, Policy
from veridict.models.compile.outcome import Compiled
from veridict.models.image import image


@dataclass(frozen=True, slots=True)
class Agreement:
    """Canonical against source on `rows` rows; differences and bound in raw score.

    `bound` is the canonical rounding (half a unit a leaf) plus what the source
    may lose by adding its leaves up in float64.
    """

    rows: int
    max_difference: float
    bound: float
    decisions_flipped: int

    @property
    def holds(self) -> bool:
        return self.rows > 0 and self.max_difference <= self.bound and not self.decisions_flipped


def agreement(
    compiled: Compiled, model: object, rows: ArrayLike, *, policy: Policy | None = None
) -> Agreement:
    """Score `rows` with both and compare.

    Decisions are compared at `policy`'s thresholds: one is flipped where the
    source's score lies on the other side of a threshold by more than `bound`.
    Raises BadInput where `rows` are no numbers.
    """
    matrix: Any = np.asarray(rows)
    compiler = import_module(f"veridict.models.compile.{compiled.source}")
    source = np.asarray(compiler.raw_scores(model, matrix), dtype=np.float64)
    ours = compiled.model.score(image(matrix))
    exact = ours / SCORE_ONE
    trees = len(compiled.model.trees.trees) + 1
    float_loss = trees * np.finfo(np.float64).eps * compiled.model.trees.reach / SCORE_ONE
    bound = compiled.error_bound / SCORE_ONE + float_loss
    return Agreement(
        rows=len(ours),
        max_difference=float(np.max(np.abs(exact - source), initial=0.0)),
        bound=float(bound),
        decisions_flipped=_flipped(ours, source, float(bound), policy) if policy else 0,
    )


def _flipped(ours: Any, source: Any, bound: float, policy: Policy) -> int:
    flipped = np.zeros(len(ours), dtype=bool)
    for threshold in (policy.review_at, policy.hold_at):
        at = threshold / SCORE_ONE
        flipped |= (ours >= threshold) & (source < at - bound)
        flipped |= (ours < threshold) & (source > at + bound)
    return int(flipped.sum())
