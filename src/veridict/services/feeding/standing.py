"""Whether a payment has its decision already: what the log says of an id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.nouns import Decision, PredictionRecord
from veridict.ledger.lookup import Query
from veridict.services.feeding.verdicts import alerts_of, verdict_on
from veridict.services.node import Node
from veridict.services.records import is_prediction
from veridict.watch.feeds.base import Arrived, Outcome
from veridict.watch.feeds.rows import Paid, paid_of

SAME_ID = 64  # records under one id that are looked through


@dataclass(frozen=True, slots=True)
class Standing:
    """The decision that stands at `index`, the severest of model and detectors."""

    index: int
    decision: Decision
    paid: Paid
    reasons: tuple[str, ...]

    def outcome(self, item: Arrived) -> Outcome:
        """Of a payment that comes under this id once more."""
        told, now = self.paid, item.event.transfer
        same = (told.payer, told.payee, told.amount_minor) == (
            now.payer, now.payee, now.amount_minor,
        ) and (told.amount in ("", now.amount) and told.asset in ("", now.asset))  # fmt: skip
        if not same:
            return Outcome(item, index=self.index, refused="contradiction")
        return Outcome(item, self.decision, self.index, again=True, reasons=self.reasons)


def standing(node: Node, ids: Sequence[str]) -> list[Standing | None]:
    """One an id; None where it is new."""
    log = node.log
    found = log.find_requests(ids)
    return [
        None if index is None else _at(node, index) or _elsewhere(node, id)
        for id, index in zip(ids, found, strict=True)
    ]


def _at(node: Node, index: int) -> Standing | None:
    """None where the record is of something else, such as a statement with the same id."""
    body = node.log.body(index)
    payload = node.log.payload(index) if is_prediction(body) else None
    paid = paid_of(payload.request) if payload else None
    if paid is None:
        return None
    record = PredictionRecord.decode(body)
    verdict = verdict_on(node.log, index, record)
    if verdict is None:
        return Standing(index, record.decision, paid, ())
    told, words = verdict
    reasons = tuple(alert.reason for alert in alerts_of(words))
    return Standing(index, Decision[told.decision.upper()], paid, reasons)


def _elsewhere(node: Node, id: str) -> Standing | None:
    log = node.log
    for index in log.find(Query(request=id), 0, log.size, most=SAME_ID):
        stands = _at(node, index)
        if stands is not None:
            return stands
    return None
