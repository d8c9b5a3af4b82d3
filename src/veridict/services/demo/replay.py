"""The later part of a stream comes as if live; its labels come one period late.

Labels are hidden while a row is decided. When the next period is over they
arrive, and are logged as outcomes of predictions that were logged before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import NotFound
from veridict.core.progress import Progress
from veridict.services.accounts import spans_of
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import OutcomesRecord
from veridict.services.watching import BATCH, Watched, watch
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Table

F = TypeVar("F")

PERIODS = 20
UNDECIDED, ERASED = -1, -2


class LateLabels:
    """Listens to `watch` over `rows`; logs each period's labels after the next period."""

    def __init__(self, node: Node, rows: Table[F], periods: int = PERIODS) -> None:
        self._node = node
        self._ids, self._times, self._labels = rows.ids, rows.times_s, rows.labels
        self._sequences: NDArray[np.int64] = np.full(len(rows), UNDECIDED, np.int64)
        self._indices: NDArray[np.int64] = np.full(len(rows), UNDECIDED, np.int64)
        self._row = {row_id: row for row, row_id in enumerate(self._ids)}
        # whole batches a period, so that a period's predictions stand in a row
        self._period = max(BATCH, -(-len(rows) // periods // BATCH) * BATCH)
        self._told = len(node.board.quality()) * self._period

    def __call__(self, made: Sequence[Prediction]) -> None:
        for prediction in made:
            row = self._row[prediction.payload.request.id]
            self._sequences[row] = prediction.record.sequence
            self._indices[row] = prediction.index
        decided = row + 1
        while self._told + 2 * self._period <= decided:
            self._tell(self._told + self._period)

    def finish(self) -> None:
        """All labels that are still to come."""
        while self._told < len(self._ids):
            self._tell(min(len(self._ids), self._told + self._period))

    def index(self, row: int) -> int:
        """Where the prediction of `row` stands in the log. Raises NotFound if it was erased."""
        place = self._place(row)
        if place is None:
            raise NotFound(f"row {row} of the stream was erased", remedy="choose another one")
        return place

    def _place(self, row: int) -> int | None:
        if self._indices[row] == UNDECIDED:  # decided before a restart
            found = self._node.log.find_request(self._ids[row])
            self._indices[row] = ERASED if found is None else found  # watch decided every row
        return None if self._indices[row] == ERASED else int(self._indices[row])

    def _tell(self, stop: int) -> None:
        start, self._told = self._told, stop
        time_s = int(self._times[start])
        labels = self._labels[start:stop].tolist()
        told = [
            (sequence, label)
            for row, label in zip(range(start, stop), labels, strict=True)
            if (sequence := self._sequence(row)) is not None
        ]
        sequences = [sequence for sequence, _ in told]
        positives = [sequence for sequence, label in told if label == 1]
        self._node.append(
            OutcomesRecord(
                label=f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}",
                time_s=time_s,
                spans=spans_of(sequences),
                positives=positives,
                time_ms=self._node.parts.clock(),
            )
        )

    def _sequence(self, row: int) -> int | None:
        if self._sequences[row] == UNDECIDED:
            index = self._place(row)
            if index is None:
                return None
            record, _ = self._node.request_of(index)
            self._sequences[row] = record.sequence
        return int(self._sequences[row])


def replay(
    node: Node, rows: Table[F], extractor: Extractor[F], progress: Progress
) -> tuple[Watched, LateLabels]:
    """Decide `rows` as a live stream, then let the last labels arrive and anchor what is left."""
    labels = LateLabels(node, rows)
    watched = watch(node, rows, extractor, told=labels, progress=progress)
    labels.finish()
    anchored = node.anchor()
    if anchored is not None:
        watched.anchors.append((anchored[0].size, anchored[1]))
    return watched, labels
