"""Habits: each payment against the payer's and payee's own history, and their confirmed cases.

Stands beside `payments`; what it tells is in `habit_names`, how in `habits_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from veridict.core.errors import BadInput
from veridict.watch.arrays import F64, I64
from veridict.watch.features import habits_kernel as kernel
from veridict.watch.features.habit_names import HABIT_RISKS, HABITS
from veridict.watch.features.kernel import NEVER
from veridict.watch.features.keys import Keys
from veridict.watch.features.order import in_order
from veridict.watch.features.records import Records, Rows
from veridict.watch.features.saved import pack, unpack
from veridict.watch.stream import Table

assert len(HABITS) == kernel.FEATURES
assert len(HABIT_RISKS) == kernel.RISK_FEATURES

_MAGIC = b"veridict habits 2\n"
CHUNK = 4096


@dataclass(frozen=True, slots=True)
class HabitLimits:
    """About 450 bytes a payer and a payee, 40 a label that waits for its time."""

    payers: int = 1 << 20
    payees: int = 1 << 20
    waiting: int = 1 << 22

    def __post_init__(self) -> None:
        if min(self.payers, self.payees, self.waiting) < 4:
            raise BadInput("limits below 4", remedy="allow at least 4 of each")


class HabitFeatures:
    """An `Extractor` over tables with columns payer, payee, amount_minor.

    `label_delay_s` and `learn` as in PaymentFeatures. Not safe for several threads.
    """

    def __init__(
        self, *, label_delay_s: int | None = None, limits: HabitLimits | None = None
    ) -> None:
        self.label_delay_s = label_delay_s
        self._delay_s = -1 if label_delay_s is None else label_delay_s
        self._limits = limits or HabitLimits()
        self.features = HABITS if label_delay_s is None else HABITS + HABIT_RISKS
        self._keys = Keys()
        self._now_s = NEVER
        self._payers = Records(kernel.BLANK, self._limits.payers)
        self._payees = Records(kernel.BLANK, self._limits.payees)
        self._queue = np.zeros(0, kernel.WAITING)
        self._head = self._tail = 0
        self.labels_dropped = 0

    def batch(self, rows: Table[Any]) -> F64:
        """float64[n, len(features)]; changes the state. Raises BadStream if time falls."""
        x = np.empty((len(rows), len(self.features)))
        if not len(rows):
            return x
        times_s = in_order(rows, self._now_s)
        columns = self._columns(rows)
        start = 0
        while start < len(rows):
            stop = min(len(rows), start + CHUNK, start + self._make_room())
            self._head, self._tail = kernel.run(
                self._state(), start, stop, self._head, self._tail, self._delay_s,
                times_s, *columns, x,
            )  # fmt: skip
            start = stop
        self._now_s = int(times_s[-1])
        return x

    def learn(self, known: Table[Any], known_s: I64 | None = None) -> None:
        """Labels of earlier rows count for rows from `known_s` on, int64[n], now by default.

        Unknown labels are skipped. Beyond the limit, those known first are dropped.
        """
        payers, payees, amounts, labels = self._columns(known)
        told = np.flatnonzero(labels >= 0)
        if self._delay_s < 0 or not len(told):
            return
        fresh = np.zeros(len(told), kernel.WAITING)
        fresh["known_s"] = self._now_s if known_s is None else known_s[told]
        fresh["paid_s"], fresh["amount"] = known.times_s[told], amounts[told]
        fresh["payer"], fresh["payee"], fresh["label"] = payers[told], payees[told], labels[told]
        waiting = np.concatenate([self._waiting(), fresh])
        waiting = waiting[np.argsort(waiting["known_s"], kind="stable")]
        dropped = max(0, len(waiting) - self._limits.waiting)
        self.labels_dropped += dropped
        self._queue, self._head, self._tail = waiting[dropped:], 0, len(waiting) - dropped

    @property
    def memory_bytes(self) -> int:
        return self._payers.size_bytes + self._payees.size_bytes + self._queue.nbytes

    def save(self) -> bytes:
        counts = {"now_s": self._now_s, "labels_dropped": self.labels_dropped}
        arrays = (*self._payers.dump(), *self._payees.dump(), self._waiting())
        return pack(_MAGIC, {**self._made(), **counts}, arrays)

    def restore(self, state: bytes) -> None:
        """Raises BadInput unless `state` is whole and was saved by one made the same way."""
        kinds = (*self._payers.kinds(), *self._payees.kinds(), kernel.WAITING)
        head, arrays = unpack(_MAGIC, state, self._made(), kinds)
        self._payers.load(arrays[:4])
        self._payees.load(arrays[4:8])
        self._queue, self._head, self._tail = arrays[8], 0, len(arrays[8])
        self._now_s, self.labels_dropped = head["now_s"], head["labels_dropped"]

    def _made(self) -> dict[str, Any]:
        limits = self._limits
        return {
            "label_delay_s": self._delay_s,
            "limits": [limits.payers, limits.payees, limits.waiting],
        }

    def _columns(self, rows: Table[Any]) -> tuple[I64, I64, F64, I64]:
        return (
            self._keys(rows.strings("payer")),
            self._keys(rows.strings("payee")),
            rows.integers("amount_minor") / 100.0,
            rows.labels.astype(np.int64),
        )

    def _state(self) -> kernel.State:
        payers, payees = self._payers, self._payees
        return kernel.State(
            payers.shelf, payers.rows, payees.shelf, payees.rows, kernel.BLANK, self._queue
        )

    def _waiting(self) -> Rows:
        return self._queue[np.arange(self._head, self._tail) % max(1, len(self._queue))]

    def _make_room(self) -> int:
        """Rows that fit; the tables and the queue have grown, or the queue forgot its oldest."""
        for table in (self._payers, self._payees):
            if not table.free:
                table.grow()
        return min(self._payers.free, self._payees.free, self._room_for_labels())

    def _room_for_labels(self) -> int:
        if self._delay_s < 0:
            return CHUNK
        waiting, room = self._tail - self._head, len(self._queue)
        if waiting < room:
            return room - waiting
        if room < self._limits.waiting:
            queue = np.zeros(min(self._limits.waiting, max(64, 2 * room)), kernel.WAITING)
            queue[:waiting] = self._waiting()
            self._queue, self._head, self._tail = queue, 0, waiting
            return len(queue) - waiting
        self._head += 1
        self.labels_dropped += 1
        return 1
