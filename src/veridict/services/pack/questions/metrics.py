"""7: do the measures hold, group by group? The card's and the keeper's, made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from veridict.core.errors import VeridictError
from veridict.core.nouns import Check, Finding
from veridict.core.progress import silent
from veridict.models.canonical import CanonicalModel
from veridict.models.card import Metric, ModelCard
from veridict.services.audit.walk import Notes, Row
from veridict.services.pack.answers import NO_DATA, Answer, Case, Data, Told, count, short
from veridict.services.pack.cards import Cards
from veridict.services.pack.layout import Claim
from veridict.services.pack.measured import Measured
from veridict.services.papers.audit import compare, measured_again
from veridict.services.papers.rows import reread


class MetricsAgain:
    asked = "Do the measures hold, group by group?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._measured = Measured(case.grouping)
        self._cards = Cards()

    def see(self, rows: Sequence[Row]) -> None:
        self._measured.see(rows)
        self._cards.see(rows)

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        made = self._measured.claims()
        groups = len({claim.group for claim in made if claim.group})
        evidence = [
            Told(
                "decided rows",
                f"{count(len(made), 'measure')} of {count(self._measured.labelled, 'labelled row')}"
                f", {count(groups, 'group')} and attributes among them",
            )
        ]
        evidence += [_shown(claim) for claim in made if not claim.group]
        findings: list[Finding] = []
        unasked: list[str] = []
        claims = self._case.claims
        if self._case.grouping is None:
            unasked.append("measures by group: nobody said how these rows are grouped")
            claims = None if claims is None else [claim for claim in claims if not claim.group]
        if claims is not None:
            findings += _compared(claims, made)
        if not made:
            unasked.append("no decided row has a label yet")
        examined = len(made) + sum(
            self._card_again(card, evidence, findings, unasked) for card in self._cards.values()
        )
        return Answer(
            number, self.asked, examined, tuple(evidence), tuple(findings), tuple(unasked)
        )

    def _card_again(
        self, card: ModelCard, evidence: list[Told], findings: list[Finding], unasked: list[str]
    ) -> int:
        """How many measures of the card were made again."""
        data, name = self._case.data, short(card.model_id)
        if data is None or data.scenario.data_name != card.data_title:
            unasked.append(
                f"the {count(len(card.metrics), 'measure')} on the card {name}: {NO_DATA}"
            )
            return 0
        made = _made_again(self._case, card, data)
        examined, wrong = compare(card.metrics, made)
        findings += [replace(found, where=f"{found.where} (card {name})") for found in wrong]
        if not wrong:
            told = f"{count(examined, 'measure')} of rows it was not fitted to, made again: equal"
            evidence.append(Told(f"card {name}", told))
        return examined


def _made_again(case: Case, card: ModelCard, data: Data) -> Sequence[Metric]:
    copy = case.shelf.get(bytes.fromhex(card.model_id))
    try:
        model = None if copy is None else CanonicalModel(copy)
    except VeridictError:
        model = None  # the audit's check of models names it
    return measured_again(card, data.scenario, model, reread(card, data.rows), silent)


def _compared(claims: Sequence[Claim], made: Sequence[Claim]) -> list[Finding]:
    """The keeper's claims may be neither wrong, nor invented, nor left out."""
    due = {(c.model_id, c.group, c.name): c for c in made}
    told = {(c.model_id, c.group, c.name): c for c in claims}
    notes = Notes()
    if len(told) < len(claims):
        twice = f"{len(claims) - len(told)} of them twice"
        notes.wrong("metric.twice", "the keeper's measures", "each once", twice)
    for key in sorted(due.keys() | told.keys()):
        if due.get(key) != told.get(key):
            where = f"{key[2]}, {key[1] or 'all rows'} (decided by {short(key[0])})"
            code = "metric.missing" if key not in told else "metric.false"
            notes.wrong(code, where, _spelled(due.get(key)), _spelled(told.get(key)))
    return list(notes.verdict()[1])


def _spelled(claim: Claim | None) -> str:
    return "nothing" if claim is None else f"{claim.value} of {count(claim.rows, 'row')}"


def _shown(claim: Claim) -> Told:
    return Told(claim.name, f"{claim.value} of {count(claim.rows, 'row')} decided live")
