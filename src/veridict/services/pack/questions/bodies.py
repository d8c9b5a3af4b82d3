"""10: bodies, not only hashes? What was hashed is here, and hashes to what was signed."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Check, Finding
from veridict.services.audit.walk import Row
from veridict.services.pack.answers import Answer, Case, Told, count


class Bodies:
    asked = "Are the bodies here, and not only their hashes?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._bodies = self._bytes = self._open = self._withheld = 0

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.body is not None:
                self._bodies += 1
                self._bytes += len(row.body)
            self._open += row.payload is not None
            self._withheld += row.withheld and row.payload is None

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        findings = list(checks[0].findings)
        evidence = [
            Told(
                "bodies",
                f"{self._bodies:,} of {count(self._case.log.size, 'record')}, {self._bytes:,} "
                "bytes; the tree was built from these",
            ),
            Told("payloads", f"{self._open:,} open"),
        ]
        if self._case.published is not None:
            findings += _others(self._case.published(), findings)
            evidence.append(
                Told("as published", "tiles and bundles, compared with what the bodies make")
            )
        unasked = []
        if self._withheld:
            unasked.append(f"payloads of {count(self._withheld, 'record')} are withheld")
        return Answer(
            number, self.asked, self._bodies, tuple(evidence), tuple(findings), tuple(unasked)
        )


def _others(found: Sequence[Finding], known: Sequence[Finding]) -> list[Finding]:
    """What is not named yet at the same place."""
    places = {(finding.code, finding.where) for finding in known}
    return [finding for finding in found if (finding.code, finding.where) not in places]
