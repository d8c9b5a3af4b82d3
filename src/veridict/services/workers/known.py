"""What a partition remembers: the features' and the detectors' state, and the ids it has met.

All of it follows from the partition's events in their order alone, so that whoever takes the
partition over and reads them again knows the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from veridict.core.errors import BadInput
from veridict.services.feeding.memory import Means
from veridict.watch.broker.base import Delivered, partition_of
from veridict.watch.detectors.base import Verdict, View, verdicts
from veridict.watch.features.keys import key_of
from veridict.watch.features.saved import pack, unpack
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome, sample_of
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.rows import arrived, seconds_of
from veridict.watch.feeds.wire import drop_code, read_payment

AHEAD_S = 3600  # by so much a payment's time may be ahead of when the broker took it
REMEMBERED = 1 << 17  # ids of a partition, 16 bytes each; the oldest half is forgotten
_MAGIC = b"veridict partition 1\n"


@dataclass(slots=True)
class Met:
    """What came of some messages: `fresh` was never met before; the others are told of."""

    fresh: list[Event] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    again: int = 0

    def refuse(self, item: Item, code: str) -> None:
        self.items.append(item)
        self.outcomes.append(Outcome(item, refused=code))


class Known:
    """Of one partition. Not thread-safe."""

    def __init__(self, partition: int, partitions: int, assets: Assets, make: Callable[[], Means]):
        self._partition, self._partitions, self._assets = partition, partitions, assets
        self._means = make()
        self._ids: dict[int, int] = {}  # key of the id → key of what was said
        self._now_s = 0

    def meet(self, messages: Sequence[Delivered], source: str) -> Met:
        """Payments that are new here, in order; what is none, or contradicts one, is refused."""
        met = Met()
        for message in messages:
            cursor = str(message.sequence)
            for line in message.data.split(b"\n"):
                if line:
                    self._read(met, line, cursor, message.time_s, source)
        return met

    def look(self, events: Sequence[Event]) -> tuple[View, list[Verdict]]:
        """Features and verdicts of the events that come next."""
        times_s = seconds_of([event.time_s for event in events])
        times_s = np.maximum(np.maximum.accumulate(times_s), self._now_s)
        rows = arrived(events, times_s)
        view = View(rows, self._means.features.batch(rows), self._means.features.features)
        self._now_s = int(times_s[-1])
        return view, verdicts(view, self._means.detectors)

    def _read(self, met: Met, line: bytes, cursor: str, taken_s: int, source: str) -> None:
        try:
            event = read_payment(line, self._assets, source)
        except BadInput as problem:
            code = drop_code(problem)
            met.refuse(Dropped(cursor, code, problem.message, sample=sample_of(line)), code)
            return
        paid = event.transfer
        if partition_of(paid.payer, self._partitions) != self._partition:
            met.refuse(Arrived(cursor, event), "partition.other")
        elif event.time_s > taken_s + AHEAD_S:
            met.refuse(Arrived(cursor, event), "time.ahead")
        else:
            self._compare(met, Arrived(cursor, event))

    def _compare(self, met: Met, item: Arrived) -> None:
        paid, id = item.event.transfer, key_of(item.event.id)
        said = key_of(f"{paid.payer}\0{paid.payee}\0{paid.amount}\0{paid.asset}")
        before = self._ids.get(id)
        if before is None:
            met.fresh.append(item.event)
            self._ids[id] = said
            if len(self._ids) > REMEMBERED:
                self._ids = dict(islice(self._ids.items(), REMEMBERED // 2, None))
        elif before == said:
            met.again += 1
        else:
            met.refuse(item, "contradiction")

    # -- keeping -----------------------------------------------------------------------------

    def save(self) -> bytes:
        states = [self._means.features.save(), *(d.save() for d in self._means.detectors)]
        arrays = [np.frombuffer(state, np.uint8) for state in states]
        ids = [np.array(list(kept), np.int64) for kept in (self._ids, self._ids.values())]
        return pack(_MAGIC, {**self._head(), "now_s": self._now_s}, [*arrays, *ids])

    def restore(self, data: bytes) -> None:
        """Raises BadInput where it is damaged, or of other features or detectors."""
        kinds: list[Any] = [np.uint8] * (1 + len(self._means.detectors)) + [np.int64] * 2
        head, arrays = unpack(_MAGIC, data, self._head(), kinds)
        *states, ids, said = arrays
        self._means.features.restore(states[0].tobytes())
        for detector, state in zip(self._means.detectors, states[1:], strict=True):
            detector.restore(state.tobytes())
        self._ids = dict(zip(ids.tolist(), said.tolist(), strict=True))
        self._now_s = head["now_s"]

    def _head(self) -> dict[str, Any]:
        return {
            "features": [feature.name for feature in self._means.features.features],
            "detectors": [type(detector).__name__ for detector in self._means.detectors],
            "partition": self._partition,
            "partitions": self._partitions,
        }
