"""Check 9: labels came after the predictions they judge; human acts name real predictions."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import PredictionRecord
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.records import ActRecord, OutcomesRecord


class Outcomes:
    title = "outcomes came after predictions, acts name predictions"

    def __init__(self) -> None:
        self._notes = Notes()
        self._predictions = 0
        self._indices: set[int] = set()

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            record = row.record
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
            elif isinstance(record, ActRecord) and record.index not in self._indices:
                self._notes.wrong(
                    "act.baseless", f"record {row.index}", "a prediction", f"record {record.index}"
                )

    def verdict(self) -> Verdict:
        return self._notes.verdict()
