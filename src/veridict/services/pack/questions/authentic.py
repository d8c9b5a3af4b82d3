"""9: are the inputs authentic? What was committed to, and what others say was asked."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Check
from veridict.services.audit.walk import Row
from veridict.services.pack.answers import NO_CHAIN, NO_DATA, Answer, Case, Told, count
from veridict.services.pack.questions.stream_rows import StreamRows
from veridict.services.pack.settled import Settlements


class Authentic:
    asked = "Are the inputs authentic?"

    def __init__(self, case: Case, rows: StreamRows, settled: Settlements) -> None:
        self._case, self._rows, self._settled = case, rows, settled

    def see(self, rows: Sequence[Row]) -> None:
        """What it needs, the shared examiners have seen."""

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        opened, rows = checks[5], self._rows
        evidence = [
            Told("commitments", f"{opened.examined:,} opened, or accounted for by an erasure"),
            *(Told("erased", told) for told in opened.notes),
        ]
        findings, unasked = list(opened.findings), []
        if self._settled.asked:
            confirmed, wrong = self._settled.others_asked()
            findings += wrong
            if self._case.network is None:
                unasked.append(
                    f"{count(self._settled.asked, 'payment')} in guards, as the chain has them: "
                    + NO_CHAIN
                )
            else:
                evidence.append(Told("guards", f"{count(confirmed, 'payment')} compared on chain"))
                if confirmed < self._settled.asked:
                    unasked.append(
                        f"{count(self._settled.asked - confirmed, 'payment')} in unknown guards"
                    )
        if self._case.data is None:
            unasked.append(f"that the requests are what happened: {NO_DATA}")
        else:
            findings += rows.contents
            evidence.append(
                Told("data", f"{count(rows.matched, 'request')} compared with its rows")
            )
            strange = rows.strange - self._settled.asked
            if strange > 0:
                unasked.append(f"{count(strange, 'request')} that the data given does not hold")
        return Answer(
            number, self.asked, opened.examined, tuple(evidence), tuple(findings), tuple(unasked)
        )
