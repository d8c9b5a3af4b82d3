"""What the log adds up to: one fold over its records, the same at opening as live.

The board is a convenience of the node that keeps the log; nothing on it is
evidence, and all of it can be rebuilt.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque

from veridict.core.nouns import SCORE_ONE, Decision, PredictionRecord
from veridict.services.cases.book import Book, Case
from veridict.services.energy import EnergyRecord, Used, add
from veridict.services.feeding.records import FeedRecord, VerdictRecord
from veridict.services.feeding.tally import Tally
from veridict.services.records import (
    AnchorRecord,
    ErasureRecord,
    LogRecord,
    LostAnchorRecord,
    ModelRecord,
    OutcomesRecord,
)
from veridict.services.trial.records import ChallengerRecord
from veridict.services.views import HistogramView, QualityPoint, RatePoint

BINS = 40
RATE_WINDOW_MS = 1000
RATE_POINTS = 600


class Board:
    """Counts, cases, quality and rate of one log. Not thread-safe: the node guards it."""

    def __init__(self) -> None:
        self.size = 0  # records seen: the index of the next one
        self.counts = dict.fromkeys(Decision, 0)
        self.book = Book()
        self.model: tuple[int, ModelRecord] | None = None
        self.challenger: tuple[int, ChallengerRecord] | None = None
        self.anchor_notes: list[int] = []  # where anchors are noted, and their loss
        self.erasures: list[tuple[int, ErasureRecord]] = []
        self.energy: Used = {}
        self.feeds: dict[str, Tally] = {}  # by name, what of each was not decided
        self._predicted_at = -2
        self._decisions = bytearray()
        self._bins = {decision: [0] * BINS for decision in Decision}
        self._quality: list[QualityPoint] = []
        self._rates: deque[tuple[int, int]] = deque(maxlen=RATE_POINTS)

    @property
    def predictions(self) -> int:
        return len(self._decisions)

    @property
    def cases(self) -> dict[int, Case]:
        return self.book.cases

    @property
    def open_cases(self) -> int:
        return self.book.open_cases

    def see(self, index: int, record: LogRecord) -> None:
        self.size = index + 1
        self.book.see(index, record)
        if isinstance(record, PredictionRecord):
            self._predicted(record)
            self._predicted_at = index
        elif isinstance(record, VerdictRecord):
            if index == self._predicted_at + 1:
                self._judged_graver(Decision[record.decision.upper()])
        elif isinstance(record, FeedRecord):
            self.feeds.setdefault(record.feed, Tally()).see(index, record)
        elif isinstance(record, ModelRecord):
            self.model = (index, record)
        elif isinstance(record, ChallengerRecord):
            self.challenger = (index, record) if record.event == "began" else None
        elif isinstance(record, OutcomesRecord):
            self._quality.append(self._judged(record))
        elif isinstance(record, ErasureRecord):
            self.erasures.append((index, record))
        elif isinstance(record, AnchorRecord | LostAnchorRecord):
            self.anchor_notes.append(index)
        elif isinstance(record, EnergyRecord):
            add(self.energy, record)

    def scores(self) -> HistogramView:
        return HistogramView(
            edges=[step / BINS for step in range(BINS + 1)],
            allow=list(self._bins[Decision.ALLOW]),
            review=list(self._bins[Decision.REVIEW]),
            hold=list(self._bins[Decision.HOLD]),
        )

    def quality(self) -> list[QualityPoint]:
        return list(self._quality)

    def throughput(self) -> list[RatePoint]:
        """Predictions a second, in the seconds in which there were any."""
        return [RatePoint(at, count * 1000 / RATE_WINDOW_MS) for at, count in self._rates]

    def rate(self, now_ms: int) -> float:
        """Predictions in the last whole second before `now_ms`."""
        last = now_ms // RATE_WINDOW_MS * RATE_WINDOW_MS - RATE_WINDOW_MS
        return float(next((count for at, count in reversed(self._rates) if at == last), 0))

    def _predicted(self, record: PredictionRecord) -> None:
        self._decisions.append(record.decision)
        self.counts[record.decision] += 1
        self._bins[record.decision][bisect_right(_EDGES, record.score)] += 1
        second = record.time_ms // RATE_WINDOW_MS * RATE_WINDOW_MS
        if self._rates and self._rates[-1][0] == second:
            self._rates[-1] = (second, self._rates[-1][1] + 1)
        else:
            self._rates.append((second, 1))

    def _judged_graver(self, decision: Decision) -> None:
        """Detectors say of the last prediction what the model did not."""
        before = Decision(self._decisions[-1])
        if decision > before:
            self._decisions[-1] = decision
            self.counts[before] -= 1
            self.counts[decision] += 1

    def _judged(self, record: OutcomesRecord) -> QualityPoint:
        judged = [s for first, last in record.spans for s in range(first, last + 1)]
        known = len(self._decisions)
        flagged = {s for s in judged if s < known and self._decisions[s] > Decision.ALLOW}
        positives = set(record.positives)
        hits = len(flagged & positives)
        return QualityPoint(
            label=record.label,
            time_s=record.time_s,
            predictions=len(judged),
            positives=len(positives),
            flagged=len(flagged),
            precision=hits / len(flagged) if flagged else None,
            recall=hits / len(positives) if positives else None,
        )


def probability(score: int) -> float:
    """The logistic of a raw score, for display only: decisions are made on integers."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, score / SCORE_ONE))))


def _reaching(number: int) -> int:
    """The lowest score in the bin of that number."""
    scores = range(-60 * SCORE_ONE, 60 * SCORE_ONE)
    return scores[bisect_left(scores, number, key=lambda score: int(probability(score) * BINS))]


_EDGES = [_reaching(number) for number in range(1, BINS)]  # exact: probability never falls
