"""6: was nothing left out? Neither numbers, nor records, nor heads, nor what guards acted on."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Check, Finding, PredictionRecord
from veridict.services.audit.walk import Row
from veridict.services.pack.answers import NO_CHAIN, Answer, Case, Told, count, picked
from veridict.services.pack.settled import Settlements


class NothingLeftOut:
    asked = "Was nothing left out?"

    def __init__(self, case: Case, settled: Settlements) -> None:
        self._case, self._settled = case, settled
        self._first: int | None = None
        self._last = -1

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, PredictionRecord):
                self._last = row.record.sequence
                self._first = self._last if self._first is None else self._first

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        records, heads, anchors, sequence = checks[0], checks[1], checks[2], checks[4]
        findings = [
            *picked(records, "record.dropped", "record.surplus"),
            *heads.findings, *anchors.findings, *sequence.findings,
        ]  # fmt: skip
        evidence = [
            Told("records", f"0 to {self._case.log.size - 1}, looked for one by one"),
            Told(
                "numbers",
                f"{count(sequence.examined, 'prediction')}, {self._first} to {self._last}",
            ),
            Told("signed heads", f"{heads.examined:,}, compared with the root of these records"),
        ]
        unasked = []
        if self._case.network is None:
            unasked.append("that no earlier head on chain covers anything else: " + NO_CHAIN)
        else:
            evidence.append(
                Told(
                    "heads on chain",
                    f"{anchors.examined:,}, compared with the root of these records",
                )
            )
            findings += self._guards(evidence)
            unasked += self._later_heads()
        if self._case.histories is not None:
            findings += self._case.histories()
            told = f"{count(self._case.histories_known, 'head')}, which this log must extend"
            evidence.append(Told("seen elsewhere", told))
        return Answer(
            number, self.asked, sequence.examined, tuple(evidence), tuple(findings), tuple(unasked)
        )

    def _later_heads(self) -> list[str]:
        """Those that do not count, because the auditor said so."""
        largest = max((anchor.size for anchor in self._case.on_chain), default=0)
        if not self._case.earlier or largest <= self._case.log.size:
            return []
        return [f"records {self._case.log.size} to {largest - 1}, which were anchored since"]

    def _guards(self, evidence: list[Told]) -> list[Finding]:
        if not self._settled.decided:
            return []
        young, findings = self._settled.unlogged()
        late = f"; {young:,} are younger than the log's last note of an anchor" if young else ""
        evidence.append(
            Told(
                "guards acted on",
                f"{count(self._settled.decided, 'prediction')}, looked for in the log{late}",
            )
        )
        return findings
