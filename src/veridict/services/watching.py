"""A stream is decided as it comes: features → predict, batch by batch, each row once.

The log is what remembers: a stream that was cut off goes on behind the last
row that has a record. Rows decided before are still shown to the feature
extractor, whose state is all of the past.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from veridict.core.nouns import Stage
from veridict.core.progress import Progress, Step, silent
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Table

F = TypeVar("F")

BATCH = 512
Listener = Callable[[Sequence[Prediction]], None]


@dataclass(slots=True)
class Watched:
    """What one call of `watch` did; seconds by the wall clock, of the rows decided now."""

    decided: int = 0
    seen_before: int = 0
    seconds: float = 0.0
    features_seconds: float = 0.0
    anchors: list[tuple[int, int]] = field(default_factory=list)  # (size, gas)

    @property
    def per_second(self) -> float:
        return self.decided / self.seconds if self.seconds else 0.0


def watch(
    node: Node,
    rows: Table[F],
    extractor: Extractor[F],
    *,
    anchor_every: int = 10_000,
    told: Listener = lambda made: None,
    progress: Progress = silent,
) -> Watched:
    """Decide every row of `rows` that has no record yet; anchors each `anchor_every` records.

    Labels are hidden from the extractor. Raises what the parts raise; what was
    logged by then stays, and the next call goes on behind it.
    """
    done = Watched(seen_before=already_decided(node, rows.ids))
    extractor_sees(extractor, rows.slice(0, done.seen_before))
    live = rows.slice(done.seen_before, len(rows)).unlabelled()
    # A row in the middle may have a record too: an earlier run may have begun elsewhere.
    records = iter(node.log.find_requests(live.ids))
    began = time.perf_counter()
    for batch in live.batches(BATCH):
        requests = [example.request for example in batch.examples()]
        at = time.perf_counter()
        features = extractor.batch(batch)
        done.features_seconds += time.perf_counter() - at
        new = [row for row, index in enumerate(islice(records, len(requests))) if index is None]
        if new:
            told(node.predict(features[new], [requests[row] for row in new]))
        done.decided += len(new)
        done.seen_before += len(requests) - len(new)
        if node.unanchored() >= anchor_every:
            _anchor(node, done)
        done.seconds = time.perf_counter() - began
        progress(Step(Stage.LOG, "decided and logged", done.seen_before + done.decided, len(rows)))
    return done


def already_decided(node: Node, ids: Sequence[str]) -> int:
    """How many rows from the first on have records: rows are logged in order, so bisect."""
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if node.log.find_request(ids[middle]) is None:
            high = middle
        else:
            low = middle + 1
    return low


def extractor_sees(extractor: Extractor[F], rows: Table[F]) -> None:
    """Bring `extractor` to the state after `rows`, which need no decision."""
    for batch in rows.batches(64 * BATCH):
        extractor.batch(batch)


def _anchor(node: Node, done: Watched) -> None:
    anchored = node.anchor()
    if anchored is not None:
        done.anchors.append((anchored[0].size, anchored[1]))
