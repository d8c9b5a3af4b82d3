"""4: the same result when run again? Scores, reasons and decisions, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Check, PredictionRecord
from veridict.services.audit.walk import Row
from veridict.services.pack.answers import Answer, Case, Told, count


class SameAgain:
    asked = "Is the result the same when the model is run again?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._closed = self._withheld = self._predictions = 0

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, PredictionRecord):
                self._predictions += 1
                if row.payload is None and row.withheld:
                    self._withheld += 1
                elif row.payload is None:
                    self._closed += 1

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        scores, decisions = checks[6], checks[7]
        evidence = [
            Told("run again", f"{scores.examined:,} of {count(self._predictions, 'prediction')}"),
            Told("decided again", f"{decisions.examined:,} by the thresholds of the model's card"),
        ]
        unasked = []
        if self._closed:
            evidence.append(Told("erased", f"{self._closed:,} cannot be run again: no inputs left"))
        if self._withheld:
            unasked.append(
                f"{count(self._withheld, 'prediction')} outside records {self._case.opened.start} "
                f"to {self._case.opened.stop - 1}: the pack withholds the inputs"
            )
        if scores.examined + self._closed + self._withheld < self._predictions:
            missing = self._predictions - scores.examined - self._closed - self._withheld
            unasked.append(
                f"{count(missing, 'prediction')}: the model or fitting inputs are missing"
            )
        return Answer(
            number, self.asked, scores.examined, tuple(evidence),
            (*scores.findings, *decisions.findings), tuple(unasked),
        )  # fmt: skip
