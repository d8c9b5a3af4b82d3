"""Check 9: labels came after the predictions they judge; human acts name real predictions.

What a suppression stopped, it was made for: after it, in time, not after it was taken back, and
no more than it said.
"""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import PredictionRecord
from veridict.services.audit.verdicts import Verdicts
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.cases.book import Book
from veridict.services.cases.records import (
    CaseRecord,
    RevocationRecord,
    SuppressedRecord,
    SuppressionRecord,
)
from veridict.services.records import ActRecord, OutcomesRecord


class Outcomes:
    title = "outcomes came after predictions, acts and verdicts name predictions"

    def __init__(self) -> None:
        self._notes = Notes()
        self._verdicts = Verdicts(self._notes)
        self._predictions = 0
        self._indices: set[int] = set()
        self._before: PredictionRecord | None = None  # the record just seen, if it is one
        self._book = Book()

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            record = row.record
            self._verdicts.see(row)
            if isinstance(record, PredictionRecord):
                self._notes.examined += 1
                self._predictions = max(self._predictions, record.sequence + 1)
                self._indices.add(row.index)
            elif isinstance(record, OutcomesRecord):
                last = max(*(end for _, end in record.spans), *record.positives, -1, -1)
                if last >= self._predictions:
                    self._notes.wrong(
                        "outcome.early",
                        f"record {row.index}",
                        f"labels up to prediction {self._predictions - 1}",
                        f"a label of prediction {last}",
                    )
            elif isinstance(record, ActRecord | CaseRecord):
                if record.index not in self._indices:
                    self._baseless(row.index, "a prediction", record.index)
            elif isinstance(record, SuppressionRecord):
                if record.index not in self._book.cases:
                    self._baseless(row.index, "a case", record.index)
            elif isinstance(record, RevocationRecord):
                if record.suppression not in self._book.suppressions:
                    self._baseless(row.index, "a suppression", record.suppression)
            elif isinstance(record, SuppressedRecord):
                self._stopped(row.index, record)
            if record is not None:
                self._book.see(row.index, record)

    def _stopped(self, at: int, record: SuppressedRecord) -> None:
        suppression = self._book.suppressions.get(record.suppression)
        case = self._book.cases.get(record.index)
        if suppression is None or case is None:
            self._baseless(at, "a case and a suppression before it", record.index)
            return
        due, found = suppression.record, case.record
        told = (found.model_id.hex(), found.reasons[0])
        in_time = suppression.index < case.index and suppression.is_active(found.time_ms)
        if not in_time or told != (due.model_id, due.feature):
            self._notes.wrong(
                "suppression.exceeded",
                f"record {at}",
                f"within the limits of record {record.suppression}",
                f"case {record.index}",
            )

    def _baseless(self, at: int, due: str, found: int) -> None:
        self._notes.wrong("act.baseless", f"record {at}", due, f"record {found}")

    def verdict(self) -> Verdict:
        return self._notes.verdict()
