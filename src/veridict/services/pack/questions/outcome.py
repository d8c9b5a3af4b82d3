"""5: was it logged before the outcome? By the log's order, and where anchored, by the chain's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from veridict.core.nouns import Check, PredictionRecord
from veridict.services.audit.walk import Row
from veridict.services.pack.answers import NO_CHAIN, Answer, Case, Told, count, picked
from veridict.services.records import OutcomesRecord


class BeforeOutcome:
    asked = "Was it logged before the outcome was known?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sequences: list[int] = []
        self._indices: list[int] = []
        self._outcomes: list[tuple[int, OutcomesRecord]] = []

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, PredictionRecord):
                self._sequences.append(row.record.sequence)
                self._indices.append(row.index)
            elif isinstance(row.record, OutcomesRecord):
                self._outcomes.append((row.index, row.record))

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        findings = picked(checks[8], "outcome.")
        labelled = anchored = 0
        sizes = sorted(anchor.size for anchor in self._case.on_chain)
        in_order = self._sequences == sorted(self._sequences)
        for index, record in self._outcomes if in_order else ():
            held = sizes[place - 1] if (place := bisect_right(sizes, index)) else 0
            for first, last in record.spans:
                start = bisect_left(self._sequences, first)
                stop = bisect_right(self._sequences, last)
                labelled += max(0, stop - start)
                anchored += max(0, min(stop, bisect_left(self._indices, held)) - start)
        evidence = [
            Told("outcomes", f"{count(len(self._outcomes), 'record')} of labels"),
            Told(
                "labelled",
                f"{count(labelled, 'prediction')}, compared with where their labels stand",
            ),
        ]
        unasked = []
        if self._case.network is None:
            unasked.append("how many were on chain before their outcome: " + NO_CHAIN)
        else:
            evidence.append(
                Told(
                    "on chain before",
                    f"{anchored:,} of them; of the others only the log's order tells",
                )
            )
        if not self._outcomes:
            unasked.append("no outcome was logged yet")
        examined = len(self._indices) if self._outcomes else 0
        return Answer(number, self.asked, examined, tuple(evidence), findings, tuple(unasked))
