"""Does the canonical model agree with its source, on the user's own rows?"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veridict.core.nouns import SCORE_ONE, Policy
from veridict.models.compile.outcome import Compiled
from veridict.models.image import image
from veridict.models.layout import MlpModel
from veridict.models.vector import MlpRuntime


@dataclass(frozen=True, slots=True)
class Agreement:
    """Canonical against source on `rows` rows; differences and bound in raw score.

    `bound` is the canonical rounding (`Compiled.error_bound`) plus what the source
    may lose by its own float arithmetic. It says nothing of `rows_beyond` rows, in which a
    feature of a quantised model lies outside its range or a hidden neuron gives more than
    its layer can hold; they differ by `max_difference_beyond`, the others by `max_difference`.
    """

    rows: int
    max_difference: float
    bound: float
    decisions_flipped: int
    rows_beyond: int = 0
    max_difference_beyond: float = 0.0

    @property
    def holds(self) -> bool:
        """Of the rows that the bound speaks of, at least one; and no decision is another."""
        return (
            self.rows > self.rows_beyond
            and self.max_difference <= self.bound
            and not self.decisions_flipped
        )


def agreement(
    compiled: Compiled, model: object, rows: ArrayLike, *, policy: Policy | None = None
) -> Agreement:
    """Score `rows` with both and compare, every output.

    One output: decisions are compared at `policy`'s thresholds; one is flipped where
    the source's score lies on the other side of a threshold by more than `bound`.
    Several: the winner is the decision; it is flipped where the source's scores tell
    it from ours by more than the bound of both. Raises BadInput where `rows` are no numbers.
    """
    matrix: Any = np.asarray(rows)
    compiler = import_module(f"veridict.models.compile.{compiled.source}")
    images = image(matrix)
    ours = compiled.model.scores(images)
    source = np.asarray(compiler.raw_scores(model, matrix), dtype=np.float64).reshape(ours.shape)
    bound = compiled.error_bound / SCORE_ONE + compiled.source_loss
    if compiled.model.n_outputs > 1:
        flipped = _other_winners(ours, source, bound)
    else:
        flipped = _flipped(ours[:, 0], source[:, 0], bound, policy) if policy else 0
    differences = np.abs(ours / SCORE_ONE - source).max(axis=1)
    covered = _covered(compiled, matrix, images)
    return Agreement(
        rows=len(ours),
        max_difference=float(differences[covered].max(initial=0.0)),
        bound=bound,
        decisions_flipped=flipped,
        rows_beyond=int((~covered).sum()),
        max_difference_beyond=float(differences[~covered].max(initial=0.0)),
    )


def _covered(compiled: Compiled, matrix: Any, images: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Of which rows [n] the bound speaks."""
    covered = np.ones(len(matrix), dtype=np.bool_)
    if compiled.ranges:
        low, high = np.array(compiled.ranges).T
        values = np.asarray(matrix, dtype=np.float64)
        covered = (np.isnan(values) | ((values >= low) & (values <= high))).all(axis=1)
    if isinstance(compiled.model.parts, MlpModel):
        network = MlpRuntime(compiled.model.parts)
        covered &= network.unclamped(network.quantise(images))
    return covered


def _flipped(ours: Any, source: Any, bound: float, policy: Policy) -> int:
    flipped = np.zeros(len(ours), dtype=bool)
    for threshold in (policy.review_at, policy.hold_at):
        at = threshold / SCORE_ONE
        flipped |= (ours >= threshold) & (source < at - bound)
        flipped |= (ours < threshold) & (source > at + bound)
    return int(flipped.sum())


def _other_winners(ours: Any, source: Any, bound: float) -> int:
    of_ours = np.take_along_axis(source, ours.argmax(axis=1)[:, None], axis=1)[:, 0]
    return int((source.max(axis=1) - of_ours > 2 * bound).sum())
