"""Any model, rule set or detector over history: what it would have decided, row by row.

Rows come in the order of time with the features of their moment; labels reach the features only
after their delay, and the judgement only at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from veridict.core.nouns import NO_REASON, Decision, Policy
from veridict.core.progress import Progress, Step, silent
from veridict.models.image import image
from veridict.models.segments import row_policy
from veridict.models.working import WorkingModel
from veridict.watch.arrays import I8, I64
from veridict.watch.detectors.base import Detector, View, verdicts
from veridict.watch.features.together import FeatureSet
from veridict.watch.outlook import Decided
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table

BATCH = 8192


class Contender(Protocol):
    """One way to decide."""

    @property
    def name(self) -> str: ...

    def decide(self, view: View) -> tuple[I8, list[str]]:
        """Decisions, int8[rows], and what moved each: "" where a row is allowed."""


class ByModel:
    """A compiled model under its thresholds, by segment or not; `features` in its own order."""

    def __init__(
        self, name: str, model: WorkingModel, features: tuple[str, ...], policy: Policy
    ) -> None:
        self.name, self._model, self._features, self._policy = name, model, features, policy

    def decide(self, view: View) -> tuple[I8, list[str]]:
        numbers = [view.number(name) for name in self._features]
        images = image(np.ascontiguousarray(view.x[:, numbers]))
        scores = self._model.score(images)
        limits = row_policy(self._policy, images)
        decisions = (scores >= limits.review_at).astype(np.int8)
        decisions[scores >= limits.hold_at] = Decision.HOLD
        causes, flagged = [""] * len(decisions), np.flatnonzero(decisions)
        if len(flagged):
            strongest = self._model.explain(images[flagged])[0][:, 0]
            for row, reason in zip(flagged.tolist(), strongest.tolist(), strict=True):
                causes[row] = "the score" if reason == NO_REASON else self._features[reason]
        return decisions, causes


class ByDetectors:
    """Detectors and rule sets together: the severest decision, caused by the strongest alert."""

    def __init__(self, name: str, detectors: Sequence[Detector]) -> None:
        self.name, self._detectors = name, tuple(detectors)

    def decide(self, view: View) -> tuple[I8, list[str]]:
        found = verdicts(view, self._detectors)
        decisions = np.array([verdict.decision for verdict in found], np.int8)
        return decisions, [v.reasons[0].detector if v.reasons else "" for v in found]


def backtest(
    scenario: Scenario[Any],
    rows: Table[Any],
    extractor: FeatureSet,
    contenders: Sequence[Contender],
    *,
    start: int = 0,
    progress: Progress = silent,
) -> list[Decided]:
    """One for each contender, of the rows from `start` on; those before only fill the features."""
    decisions: list[list[I8]] = [[] for _ in contenders]
    causes: list[list[str]] = [[] for _ in contenders]
    done = 0
    for batch in (b for p in _two(rows, start) for b in p.batches(BATCH)):
        view = View(batch, extractor.batch(batch), extractor.features)
        if done >= start:
            for number, contender in enumerate(contenders):
                decided, why = contender.decide(view)
                decisions[number].append(decided)
                causes[number] += why
        done += len(batch)
        progress(Step(None, f"{scenario.words.subjects} decided again", done, len(rows)))
    judged = rows.slice(start, len(rows))
    return [
        Decided(
            contender.name,
            judged.times_s,
            np.concatenate([*made, np.zeros(0, np.int8)]),
            judged.labels,
            amounts_minor(scenario, judged),
            why,
        )
        for contender, made, why in zip(contenders, decisions, causes, strict=True)
    ]


def amounts_minor(scenario: Scenario[Any], rows: Table[Any]) -> I64:
    """int64[rows]: what moves if the row is allowed."""
    if "amount_minor" in rows.shape.names:
        return rows.integers("amount_minor")
    settled = (scenario.settlement(example).amount_minor for example in rows.examples())
    return np.fromiter(settled, np.int64, len(rows))


def _two(rows: Table[Any], start: int) -> tuple[Table[Any], Table[Any]]:
    return rows.slice(0, start), rows.slice(start, len(rows))
