"""A stream is decided as it comes: features → predict, batch by batch, each row once.

The log is what remembers: a stream that was cut off goes on behind the last
row that has a record. Rows decided before are still shown to the feature
extractor, whose state is all of the past.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from veridict.core.nouns import Stage
from veridict.core.progress import Progress, Step, silent
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import is_prediction
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
    decided = decided_before(node, rows.ids)
    done = Watched(seen_before=next((row for row, one in enumerate(decided) if not one), len(rows)))
    extractor_sees(extractor, rows.slice(0, done.seen_before))
    live = rows.slice(done.seen_before, len(rows)).unlabelled()
    # A row in the middle may have a record too: an earlier run may have begun elsewhere.
    records = iter(decided[done.seen_before :])
    began = time.perf_counter()
    for batch in live.batches(BATCH):
        requests = batch.requests()
        at = time.perf_counter()
        features = extractor.batch(batch)
        done.features_seconds += time.perf_counter() - at
        new = [row for row, one in enumerate(islice(records, len(requests))) if not one]
        if new:
            told(node.predict(features[new], [requests[row] for row in new]))
        done.decided += len(new)
        done.seen_before += len(requests) - len(new)
        if node.unanchored() >= anchor_every:
            _anchor(node, done)
        done.seconds = time.perf_counter() - began
        progress(Step(Stage.LOG, "decided and logged", done.seen_before + done.decided, len(rows)))
    return done


def decided_before(node: Node, ids: Sequence[str]) -> list[bool]:
    """Which rows have a record, or had one whose payload was erased since.

    Of an erased one nobody knows which row it was. But a stream is logged in its order: where
    predictions between those of two rows were erased, the rows between had them.
    """
    found = node.log.find_requests(ids)
    decided = [index is not None for index in found]
    erased = [index for index in node.accounts.all() if is_prediction(node.log.body(index))]
    before: int | None = None
    gap: list[int] = []
    for row, index in enumerate(found if erased else ()):
        if index is None:
            gap.append(row)
            continue
        if before is not None:
            between = bisect_left(erased, index) - bisect_right(erased, before)
            for one in gap[: max(0, between)]:
                decided[one] = True
        before, gap = index, []
    return decided


def extractor_sees(extractor: Extractor[F], rows: Table[F]) -> None:
    """Bring `extractor` to the state after `rows`, which need no decision."""
    for batch in rows.batches(64 * BATCH):
        extractor.batch(batch)


def _anchor(node: Node, done: Watched) -> None:
    anchored = node.anchor()
    if anchored is not None:
        done.anchors.append((anchored[0].size, anchored[1]))
