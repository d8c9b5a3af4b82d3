"""3: did it look ahead? Models learned from what came before, features from earlier rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from veridict.core.errors import VeridictError
from veridict.core.nouns import Check, PredictionRecord
from veridict.services.audit.walk import Notes, Row
from veridict.services.pack.answers import NO_DATA, Answer, Case, Told, count
from veridict.services.pack.questions.stream_rows import StreamRows
from veridict.services.records import ModelRecord


class _Timed(msgspec.Struct):
    """What a row's committed content says of its time."""

    time_s: int | None = None


_decoder = msgspec.json.Decoder(_Timed)


class PastOnly:
    asked = "Did it know anything of the future?"

    def __init__(self, case: Case, rows: StreamRows) -> None:
        self._case, self._rows = case, rows
        self._learned: dict[bytes, int] = {}
        self._times = Notes()
        self._timeless = 0

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, ModelRecord):
                self._registered(row.record)
            elif isinstance(row.record, PredictionRecord) and row.payload is not None:
                self._predicted(row.index, row.record, row.payload.request.content)

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        rows = self._rows
        examined, late = self._times.verdict()
        evidence = [
            Told(
                "learned before",
                f"{count(examined, 'row')} lie behind the period that their model learned from",
            )
        ]
        unasked = []
        if self._case.data is None:
            unasked.append(f"that features were drawn from earlier rows alone: {NO_DATA}")
        else:
            evidence.append(
                Told(
                    "drawn again",
                    f"the features of {count(rows.matched, 'row')}, in order, each from the rows "
                    "before it: equal to what the model was shown"
                    if rows.matched and not rows.features
                    else f"the features of {count(rows.matched, 'row')}",
                )
            )
            unasked += self._beside_the_data()
        return Answer(
            number, self.asked, examined + rows.matched, tuple(evidence),
            (*late, *rows.features), tuple(unasked),
        )  # fmt: skip

    def _beside_the_data(self) -> list[str]:
        rows, unasked = self._rows, []
        if rows.strange > rows.repeated_inputs:
            unasked.append(
                f"{count(rows.strange - rows.repeated_inputs, 'prediction')} of requests that are "
                "not in the data given: their features cannot be drawn again"
            )
        if rows.unfitting:
            unasked.append(
                f"{count(rows.unfitting, 'prediction')} by models over other features than these"
            )
        return unasked

    def _registered(self, record: ModelRecord) -> None:
        try:
            self._learned[bytes.fromhex(record.model_id)] = record.model_card().trained_to_s
        except (VeridictError, ValueError):
            return  # the audit's check of models names it

    def _predicted(self, index: int, record: PredictionRecord, content: bytes) -> None:
        learned_to_s = self._learned.get(record.model_id)
        try:
            time_s = _decoder.decode(content).time_s
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            time_s = None  # a payment in a guard: its time is its block's
        if learned_to_s is None or time_s is None:
            self._timeless += 1
            return
        self._times.examined += 1
        if time_s < learned_to_s:
            due = f"a time from {learned_to_s} on, where the model's learning ended"
            self._times.wrong("lookahead.learned", f"record {index}", due, str(time_s))
