"""A stream is decided as it comes: features → predict, batch by batch, each row once.

The log is what remembers: a stream that was cut off goes on behind the last
row that has a record. Rows decided before are still shown to the feature
extractor, whose state is all of the past.

Labels reach the extractor as they become known, and never with their row: `feedback`.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

from veridict.core.nouns import Request, Stage
from veridict.core.progress import Progress, Step, silent
from veridict.services.garbage import only_new_garbage
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import is_prediction
from veridict.watch.arrays import F64
from veridict.watch.late import DelayedLabels, Feedback, Unlabelled, parts
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Table

F = TypeVar("F")

BATCH = 512
Listener = Callable[[Sequence[Prediction]], None]
Sight = Callable[[Table[Any], F64], None]


class Decider(Protocol):
    """How rows are decided: for good, or on trial."""

    def known(self, ids: Sequence[str]) -> list[bool]:
        """Which of these rows were decided before, in this way."""

    def decide(self, features: F64, requests: Sequence[Request]) -> Sequence[Prediction]:
        """One a request, durable."""


class ForGood:
    """Predictions of the node, which count."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def known(self, ids: Sequence[str]) -> list[bool]:
        return decided_before(self._node, ids)

    def decide(self, features: F64, requests: Sequence[Request]) -> Sequence[Prediction]:
        return self._node.predict(features, requests)


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


@only_new_garbage()
def watch(
    node: Node,
    rows: Table[F],
    extractor: Extractor[F],
    *,
    anchor_every: int = 10_000,
    feedback: Feedback | None = None,
    seen: Sight = lambda rows, features: None,
    decider: Decider | None = None,
    told: Listener = lambda made: None,
    progress: Progress = silent,
) -> Watched:
    """Decide every row of `rows` that has no record yet; anchors each `anchor_every` records.

    Rows come to the extractor without labels, which `feedback` tells in their time: by default
    those of `rows` themselves once the extractor's delay is over. `seen` is shown the features
    of every row, also of those decided before. Raises what the parts raise; what was logged by
    then stays, and the next call goes on behind it.
    """
    decider, feedback = decider or ForGood(node), feedback or told_late(rows, extractor)
    decided = decider.known(rows.ids)
    done = Watched(seen_before=next((row for row, one in enumerate(decided) if not one), len(rows)))
    # A row in the middle may have a record too: an earlier run may have begun elsewhere.
    records = iter(decided[done.seen_before :])
    began = time.perf_counter()
    for batch in parts(rows.slice(0, done.seen_before).unlabelled(), 64 * BATCH, feedback):
        seen(batch, sees(extractor, batch, feedback))
    for batch in parts(rows.slice(done.seen_before, len(rows)).unlabelled(), BATCH, feedback):
        requests = batch.requests()
        at = time.perf_counter()
        features = sees(extractor, batch, feedback)
        done.features_seconds += time.perf_counter() - at
        seen(batch, features)
        new = [row for row, one in enumerate(islice(records, len(requests))) if not one]
        if new:
            told(decider.decide(features[new], [requests[row] for row in new]))
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


def sees(extractor: Extractor[F], rows: Table[F], feedback: Feedback) -> F64:
    """The features of the rows that come next, after what was known by the last of them."""
    known = feedback.due(int(rows.times_s[-1]))
    if known is not None:
        extractor.learn(known.rows, known.known_s)
    return extractor.batch(rows)


def told_late(rows: Table[F], extractor: Extractor[F]) -> Feedback:
    """The labels that `rows` bring along, each when the extractor's delay is over."""
    delay_s = extractor.label_delay_s
    return Unlabelled() if delay_s is None else DelayedLabels(rows, delay_s)


def extractor_sees(extractor: Extractor[F], rows: Table[F]) -> None:
    """Bring `extractor` to the state after `rows`, which need no decision."""
    for batch in rows.batches(64 * BATCH):
        extractor.batch(batch)


def _anchor(node: Node, done: Watched) -> None:
    anchored = node.anchor()
    if anchored is not None:
        done.anchors.append((anchored[0].size, anchored[1]))
