"""The rows that a card speaks of, read again from the scenario's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.core.progress import Progress, Step, silent
from veridict.models.card import ModelCard
from veridict.models.thresholds import Choice
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.training import BATCH_ROWS


@dataclass(frozen=True, slots=True)
class Reread:
    """`past`: the rows of the card's period; those from `measured` on it was measured on.

    `following_s`: the time of the first row behind the period, None if there is none.
    """

    past: Table[Any]
    measured: int
    following_s: int | None

    @property
    def measured_rows(self) -> Table[Any]:
        return self.past.slice(self.measured, len(self.past))


def reread(card: ModelCard, data: Table[Any]) -> Reread:
    """Rows of one time belong together, so times say where the parts begin."""
    times = data.times_s
    end = int(np.searchsorted(times, card.trained_to_s, side="left"))
    start = card.trained_to_s if card.measured_from_s is None else card.measured_from_s
    measured = int(np.searchsorted(times, start, side="left"))
    following = int(times[end]) if end < len(times) else None
    return Reread(data.slice(0, end), min(measured, end), following)


def measured_features(
    scenario: Scenario[Any], rows: Reread, progress: Progress = silent
) -> NDArray[np.float64]:
    """float64 [len(rows.measured_rows), n_features]: the extractor sees all the past, in order."""
    extractor = scenario.extractor()
    count = len(rows.past) - rows.measured
    features = np.empty((count, len(scenario.feature_names)))
    done = 0
    for batch in rows.past.batches(BATCH_ROWS):
        made = extractor.batch(batch)
        first, last = max(done, rows.measured), done + len(batch)
        if first < last:
            features[first - rows.measured : last - rows.measured] = made[first - done :]
        done = last
        progress(Step(None, f"features of {scenario.words.subjects}", done, len(rows.past)))
    return features


def amounts_of(scenario: Scenario[Any], rows: Table[Any], choice: Choice) -> NDArray[np.int64]:
    """int64 [len(rows)]: what a missed event costs, in minor units, where that is its amount."""
    if choice.missed is not None:
        return np.zeros(len(rows), np.int64)
    found = (scenario.settlement(example).amount_minor for example in rows.examples())
    return np.fromiter(found, np.int64, len(rows))
