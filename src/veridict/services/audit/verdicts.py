"""Part of check 9: a verdict stands right behind its prediction, and never softens it."""

from __future__ import annotations

from veridict.core.nouns import Decision, PredictionRecord
from veridict.services.audit.walk import Notes, Row
from veridict.services.feeding.records import VerdictRecord


class Verdicts:
    """Sees every row once, in order; what is wrong goes to the check's notes."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._before: PredictionRecord | None = None

    def see(self, row: Row) -> None:
        record, before = row.record, self._before
        self._before = record if isinstance(record, PredictionRecord) else None
        if not isinstance(record, VerdictRecord):
            return
        where = f"record {row.index}"
        if before is None or before.request.hex() != record.request:
            found = "another" if before else "none"
            self._notes.wrong("verdict.baseless", where, "its prediction before it", found)
        elif Decision[record.decision.upper()] < before.decision:
            self._notes.wrong("verdict.milder", where, before.decision.word, record.decision)
