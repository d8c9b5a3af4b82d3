"""What the watcher remembers: features and detectors, kept in step with the log.

The log is the order of everything: memory follows it record by record, so that what it knows
before a payment is decided is the same after a restart as without one. A saved state only spares
reading the log from its start. Whoever is erased from the log is forgotten here too: the state is
made anew from what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from veridict.core.errors import BadInput, StorageFailed
from veridict.core.files import SECRET, replace_file
from veridict.core.nouns import PredictionRecord, Request
from veridict.core.progress import Progress, Step, silent
from veridict.ledger.view import LogView
from veridict.services.records import ActRecord, ErasureRecord, OutcomesRecord, decode
from veridict.services.telling import judged
from veridict.watch.arrays import I64
from veridict.watch.detectors.base import Detector, Verdict, View, verdicts
from veridict.watch.features.saved import pack, unpack
from veridict.watch.features.together import FeatureSet
from veridict.watch.feeds.rows import Paid, paid_of, remembered, seconds_of
from veridict.watch.stream import Table

CHUNK = 4096
_MAGIC = b"veridict watcher 1\n"
_LABELS = {"confirm": 1, "release": 0}


@dataclass(frozen=True, slots=True)
class Means:
    """Features and detectors at the start of time."""

    features: FeatureSet
    detectors: tuple[Detector, ...]


class Memory:
    """Not thread-safe: the watcher guards it. `size`: records of the log that it has followed."""

    def __init__(self, file: Path, make: Callable[[], Means]) -> None:
        self._file, self._make = file, make
        self.means = make()
        self.size = self.now_s = 0
        self._erasures_known = 0  # those logged before this index have taken their payloads

    def look(self, rows: Table[Any]) -> tuple[View, list[Verdict]]:
        """Features and verdicts of the rows that come next in the log; changes the state."""
        view = View(rows, self.means.features.batch(rows), self.means.features.features)
        if len(rows):
            self.now_s = int(rows.times_s[-1])
        return view, verdicts(view, self.means.detectors)

    def in_time(self, times_s: I64) -> I64:
        """Times that do not fall: for features, a payment that comes late is of now."""
        return np.maximum(np.maximum.accumulate(times_s), self.now_s)

    # -- following the log -------------------------------------------------------------------

    def follow(self, log: LogView, progress: Progress = silent) -> None:
        """See what was logged since: payments decided, and what people said of them."""
        while self.size < log.size:
            end = min(self.size + CHUNK, log.size)
            if self._saw(log, self.size, end):
                self.size = end
                progress(Step(None, "looking back over the log", end, log.size))
            else:
                self._anew(log)

    def decided(self, log: LogView, first: int, stop: int) -> None:
        """The rows just looked at stand at `first` to `stop` - 1; others may have come between."""
        between = self.size
        self.size = stop
        if between < first and not self._saw(log, between, first):
            self._anew(log)

    def _saw(self, log: LogView, start: int, stop: int) -> bool:
        """False where somebody was erased whom the state remembers."""
        rows: list[tuple[Request, Paid]] = []
        pairs = zip(log.bodies(start, stop), log.payloads(start, stop), strict=True)
        for index, (body, payload) in enumerate(pairs, start):
            record = decode(body)
            if isinstance(record, PredictionRecord):
                paid = payload and paid_of(payload.request)
                if payload and paid:
                    rows.append((payload.request, paid))
            elif isinstance(record, ActRecord):
                self._remember(rows)
                rows = []
                self._learn(log, [(record.index, _LABELS[record.act])])
            elif isinstance(record, OutcomesRecord):
                self._remember(rows)
                rows = []
                self._learn(log, judged(log, record))
            elif isinstance(record, ErasureRecord) and index >= self._erasures_known:
                return False
        self._remember(rows)
        return True

    def _remember(self, rows: Sequence[tuple[Request, Paid]]) -> None:
        if rows:
            times_s = self.in_time(seconds_of([request.time_s for request, _ in rows]))
            self.look(remembered(rows, times_s))

    def _learn(self, log: LogView, told: Iterable[tuple[int, int]]) -> None:
        """Of predictions by their index it is known what they were: later ones are judged so."""
        known: list[tuple[Request, Paid]] = []
        labels = []
        for index, label in told:
            payload = log.payload(index)
            paid = payload and paid_of(payload.request)
            if payload and paid:
                known.append((payload.request, paid))
                labels.append(label)
        if known:
            times_s = seconds_of([request.time_s for request, _ in known])
            self.means.features.learn(remembered(known, times_s, labels))

    # -- keeping -----------------------------------------------------------------------------

    def save(self) -> None:
        """Durable on return. Raises StorageFailed."""
        states = [self.means.features.save(), *(d.save() for d in self.means.detectors)]
        head = {"size": self.size, "now_s": self.now_s, "erasures": self._erasures_known}
        arrays = [np.frombuffer(state, np.uint8) for state in states]
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file, pack(_MAGIC, {**self._head(), **head}, arrays), mode=SECRET)
        except OSError as problem:
            raise StorageFailed(
                f"cannot keep the watcher's state in {self._file}: {problem.strerror}",
                remedy="make room or mend the directory's permissions; the log has everything",
            ) from problem

    def recover(self, log: LogView, progress: Progress = silent) -> None:
        """The state that belongs to the log as it stands: from the file, and the log behind it."""
        self._anew(log)
        try:
            self._restore(self._file.read_bytes(), log)
        except FileNotFoundError:
            pass
        except (BadInput, OSError):  # damaged, or of other features: the log has everything
            self._anew(log)
        self.follow(log, progress)

    def _anew(self, log: LogView) -> None:
        self.means, self.size, self.now_s = self._make(), 0, 0
        self._erasures_known = log.size

    def _restore(self, data: bytes, log: LogView) -> None:
        kinds = [np.uint8] * (1 + len(self.means.detectors))
        head, states = unpack(_MAGIC, data, self._head(), kinds)
        if head["size"] > log.size:
            raise BadInput("a state of another log", remedy="it is made anew from this one")
        features, *others = (state.tobytes() for state in states)
        self.means.features.restore(features)
        for detector, state in zip(self.means.detectors, others, strict=True):
            detector.restore(state)
        self.size, self.now_s = head["size"], head["now_s"]
        self._erasures_known = head["erasures"]

    def _head(self) -> dict[str, Any]:
        return {
            "features": [feature.name for feature in self.means.features.features],
            "detectors": [type(detector).__name__ for detector in self.means.detectors],
        }
