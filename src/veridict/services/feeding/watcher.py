"""Payments of any feed decided: known? → features → score → judge → log, a batch at a time.

One id gets one decision, whatever a feed gives twice: the log is asked before, and written before
anybody is told. The model's decision and the detectors' verdicts become the severest of them, with
all their reasons; what is not decided is counted by why, and logged with the batch it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.core.progress import Progress, silent
from veridict.ledger.log import Entry
from veridict.services.feeding.dropping import Note, dropped_note
from veridict.services.feeding.memory import Means, Memory
from veridict.services.feeding.standing import Standing, standing
from veridict.services.feeding.verdicts import verdict_entry
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import encode
from veridict.watch.detectors.base import Verdict, View
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.rows import arrived, requests_of, seconds_of

FOLDER = "watch"
AHEAD_S = 3600  # by so much the clocks of banks and chains may be ahead of ours
SAVE_EVERY = 50_000  # records; that many are looked at again after a cut, at the most


@dataclass(slots=True)
class _Batch:
    """One pull: what is known of each item, and what is left to decide."""

    items: Sequence[Item]
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by item
    fresh: list[Event] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # of `fresh`, by id
    places: list[tuple[int, int]] = field(default_factory=list)  # (item, row of `fresh`)


class Watcher:
    """Decides for one node; thread-safe through the node's lock. Close it: its state is saved."""

    def __init__(
        self,
        node: Node,
        home: Path,
        make: Callable[[], Means],
        *,
        ahead_s: int = AHEAD_S,
        progress: Progress = silent,
    ) -> None:
        self._node, self._ahead_s = node, ahead_s
        self._memory = Memory(home / FOLDER / "state", make)
        self._columns: dict[bytes, list[int]] = {}
        self._dirty = False  # features were shown rows that are not logged
        with node.lock:
            self._memory.recover(node.log, progress)
        self._saved_at = self._memory.size

    def decide(self, feed: str, items: Sequence[Item], *, live: bool = True) -> list[Outcome]:
        """One outcome an item, durable; `live`: times ahead of the clock are refused.

        Raises NotFound where no model is at work and StorageFailed where nothing could be
        logged: then nothing of `items` was decided.
        """
        if not items:
            return []
        with self._node.lock:
            self._catch_up()
            batch = self._sift(items, live)
            outcomes = [batch.outcomes.get(at) for at in range(len(items))]
            note = dropped_note(feed, items, outcomes, self._node.parts.clock())
            if batch.fresh:
                self._decide(batch, note)
            elif note:
                self._node.append(*note)
            if self._memory.size - self._saved_at >= SAVE_EVERY:
                self.save()
        return [batch.outcomes[at] for at in range(len(items))]

    def save(self) -> None:
        with self._node.lock:
            if not self._dirty:
                self._memory.save()
                self._saved_at = self._memory.size

    close = save

    # -- what is known -----------------------------------------------------------------------

    def _catch_up(self) -> None:
        if self._dirty:
            self._memory.recover(self._node.log)
            self._dirty = False
        self._memory.follow(self._node.log)

    def _sift(self, items: Sequence[Item], live: bool) -> _Batch:
        batch = _Batch(items)
        ids = list(dict.fromkeys(one.event.id for one in items if isinstance(one, Arrived)))
        known = dict(zip(ids, standing(self._node, ids), strict=True)) if ids else {}
        latest_s = self._node.parts.clock() // 1000 + self._ahead_s if live else None
        for at, item in enumerate(items):
            if isinstance(item, Arrived):
                self._meet(batch, at, item, known[item.event.id], latest_s)
            else:
                code = item.code if isinstance(item, Dropped) else "retracted"
                batch.outcomes[at] = Outcome(item, refused=code)
        return batch

    def _meet(
        self, batch: _Batch, at: int, item: Arrived, known: Standing | None, latest_s: int | None
    ) -> None:
        event = item.event
        row = batch.rows.get(event.id)
        if known is not None:
            batch.outcomes[at] = known.outcome(item)
        elif latest_s is not None and event.time_s > latest_s:
            batch.outcomes[at] = Outcome(item, refused="time.ahead")
        elif row is None:
            row = batch.rows[event.id] = len(batch.fresh)
            batch.fresh.append(event)
            batch.places.append((at, row))
        elif event.says_the_same(batch.fresh[row].transfer):
            batch.places.append((at, row))
        else:
            batch.outcomes[at] = Outcome(item, refused="contradiction")

    # -- what is decided ---------------------------------------------------------------------

    def _decide(self, batch: _Batch, note: Note | None) -> None:
        node, events = self._node, batch.fresh
        times_s = self._memory.in_time(seconds_of([event.time_s for event in events]))
        requests = requests_of(events)
        issuing = node.at_work().model.id
        self._dirty = True
        view, verdicts = self._memory.look(arrived(events, times_s))
        x = np.ascontiguousarray(view.x[:, self._numbers(issuing, view)])
        beside: list[Entry] = []

        def verdict_of(row: int, record: PredictionRecord) -> Entry | None:
            entry = verdict_entry(verdicts[row], record, requests[row])
            beside.extend([entry] if entry else [])
            return entry

        last = [Entry(encode(note[0]), note[1])] if note else []
        made = node.predict(x, requests, beside=verdict_of, last=last)
        first = made[0].index
        self._memory.decided(node.log, first, first + len(made) + len(beside) + len(last))
        self._dirty = False
        self._tell(batch, made, verdicts, x)

    def _numbers(self, model_id: bytes, view: View) -> list[int]:
        """Which columns are the features of the model at work, in its order."""
        if model_id not in self._columns:
            names = self._node.feature_names(model_id)
            missing = [name for name in names if not view.has(name)]
            if missing or not names:
                raise BadInput(
                    f"the model at work reads {(missing or ['no feature'])[0]!r}, which no feature "
                    "set of payments gives",
                    remedy="put a model to work that was trained on payments",
                )
            self._columns[model_id] = [view.number(name) for name in names]
        return self._columns[model_id]

    def _tell(
        self,
        batch: _Batch,
        made: Sequence[Prediction],
        verdicts: Sequence[Verdict],
        x: np.typing.NDArray[np.float64],
    ) -> None:
        told: set[int] = set()
        for at, row in batch.places:
            record = made[row].record
            reasons = [alert.reason for alert in verdicts[row].reasons]
            if record.decision is not Decision.ALLOW:
                reasons += [
                    self._node.face.reason(feature, float(x[row, feature]))
                    for feature in record.reasons
                    if feature != NO_REASON
                ]
            batch.outcomes[at] = Outcome(
                batch.items[at],
                max(record.decision, verdicts[row].decision),
                made[row].index,
                again=row in told,
                reasons=tuple(reasons),
            )
            told.add(row)
