"""Check 6: every payload opens what its record committed to, and none is gone unaccounted for.

A payload that is gone is lawful if an erasure, logged later, says that it took it, and a
finding otherwise: a keeper cannot drop what is inconvenient. One that an erasure claims to
have taken must be gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Payload, PredictionRecord, TrialRecord
from veridict.services.accounts import accounted, spans_of
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.records import ErasureRecord, LogRecord
from veridict.services.sayings import commitment_of, said

NAMED = 20  # spans in one note
_NONE, _THERE, _GONE, _WITHHELD = range(4)  # of a record's payload


class Commitments:
    title = "requests, inputs and words open the commitments; what is gone was erased"

    def __init__(self) -> None:
        self._notes = Notes()
        self._payloads = bytearray()  # by index: one of the four above
        self._gone: set[int] = set()
        self.notes: list[str] = []

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            where = f"record {row.index}"
            if row.payload_damaged:
                self._notes.wrong("payload.malformed", where, "a stored payload", "other bytes")
            self._payloads.append(_state(row))
            if self._payloads[-1] == _GONE:
                self._gone.add(row.index)
            if row.payload is not None and row.record is not None:
                self._notes.examined += _opens(row.record, row.payload, where, self._notes)
            if isinstance(row.record, ErasureRecord):
                self._account(row.index, row.record, row.payload)

    def verdict(self) -> Verdict:
        notes = Notes(self._notes.examined, list(self._notes.findings), self._notes.unnamed)
        for index in sorted(self._gone):
            notes.wrong("payload.missing", f"record {index}", "a payload or an erasure", "neither")
        return notes.verdict()

    def _account(self, number: int, record: ErasureRecord, payload: Payload | None) -> None:
        """`number` may account for what came before it, and for nothing else."""
        claimed = list(accounted(number, record, payload))
        if payload is not None and len(claimed) != record.count:
            told = f"{record.count} payloads, all of records before it"
            self._notes.wrong("erasure.count", f"record {number}", told, f"{len(claimed)} of them")
        for index in claimed:
            if self._payloads[index] == _THERE:
                where = f"record {index}"
                self._notes.wrong("erasure.undone", where, f"erased by record {number}", "there")
        taken = [index for index in claimed if index in self._gone]
        self._gone.difference_update(taken)
        self._notes.examined += len(taken)
        if taken:
            self.notes.append(f"{_told(taken)}: erased, accounted for by record #{number}")


def _state(row: Row) -> int:
    if row.payload is not None or row.payload_damaged:
        return _THERE
    if row.withheld:
        return _WITHHELD
    expected = isinstance(row.record, PredictionRecord) or commitment_of(row.record)
    return _GONE if expected else _NONE


def _opens(record: LogRecord, payload: Payload, where: str, notes: Notes) -> int:
    """How many records were examined: none or this one."""
    if isinstance(record, TrialRecord):
        record = record.prediction
    if isinstance(record, PredictionRecord):
        if not payload.opens_request(record):
            notes.wrong("payload.request", where, "the request committed to", "another")
        if not payload.opens_inputs(record):
            notes.wrong("payload.inputs", where, "the inputs committed to", "others")
        return 1
    committed = commitment_of(record)
    if committed is None:
        return 0  # no commitment to open: whatever lies there proves nothing
    if said(payload) != committed:
        notes.wrong("payload.said", where, "what was said then", "other words")
    return 1


def _told(indices: Sequence[int]) -> str:
    spans = spans_of(indices)
    named = [f"{first}" if first == last else f"{first}..{last}" for first, last in spans[:NAMED]]
    more = f" and more, {len(indices):,} in all" if len(spans) > NAMED else ""
    return f"{'record' if len(indices) == 1 else 'records'} {', '.join(named)}{more}"
