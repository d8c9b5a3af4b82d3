"""A cleared false positive stops its children too, for a while, within limits, and revocably.

    like it     the same model, strongest reason, payer and payee, and decided no graver
    limits      of at most its amount; until a time; not more often than a count
    never       a payment whose tokens wait in a guard: money moves only by a person's hand

What is stopped stays a prediction with its decision; only nobody is asked about it. A suppression
ends by time, by count, by a person, or when the words it was made with are erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.errors import BadInput, NotFound, Refused
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.ledger.entry import owner_of
from veridict.services.cases.book import Suppression
from veridict.services.cases.facts import Facts, facts_of
from veridict.services.cases.records import RevocationRecord, SuppressedRecord, SuppressionRecord
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.sayings import Suppressing, Words, read_words, said, saying

DAY_MS = 86_400_000
MAX_DAYS, MAX_ALERTS = 366, 1000
DAYS, MOST = 30, 10  # where nobody chooses


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a suppression lasts, and how many alerts it stops at the most."""

    days: int = DAYS
    most: int = MOST

    def __post_init__(self) -> None:
        if not (1 <= self.days <= MAX_DAYS and 1 <= self.most <= MAX_ALERTS):
            raise BadInput(
                f"{self.days} days and {self.most} alerts are no limits of a suppression",
                remedy=f"choose 1 to {MAX_DAYS} days and 1 to {MAX_ALERTS} alerts",
            )


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as a child of a cleared case. Pure: a replay of history asks it too."""

    model_id: bytes
    feature: int
    decision: Decision
    payer: str
    payee: str
    up_to: int | None

    def covers(self, record: PredictionRecord, facts: Facts) -> bool:
        return (
            record.model_id == self.model_id
            and record.reasons[0] == self.feature
            and Decision.ALLOW < record.decision <= self.decision
            and (facts.payer, facts.payee) == (self.payer, self.payee)
            and (self.up_to is None or (facts.amount_minor or 0) <= self.up_to)
        )


def suppress(
    node: Node, index: int, limits: Limits, *, by: str, note: str = ""
) -> tuple[int, SuppressionRecord]:
    """From now on, alerts like the released case `index` need nobody.

    Raises NotFound where `index` is no case, Refused where it was not released, or where nothing
    is known to recognise another one by.
    """
    with node.lock:
        case = node.board.cases.get(index)
        if case is None:
            raise NotFound(f"record {index} is not a case", remedy="choose one from the case list")
        payload = node.log.payload(index)
        facts = None if payload is None else facts_of(payload.request)
        known = facts is not None and facts.payer and facts.payee
        if case.status != "released" or not known or case.record.reasons[0] == NO_REASON:
            raise Refused(
                f"case {index} gives nothing to stop others by",
                remedy="release it first; it must name two parties and have a reason",
                reason=case.status,
                index=index,
            )
        assert facts is not None
        assert payload is not None
        now_ms = node.parts.clock()
        words = saying(
            Suppressing(by, note, facts.payer, facts.payee, facts.amount_minor),
            name=f"suppression after record {index}",
            subject=owner_of(payload),
            time_ms=now_ms,
        )
        record = SuppressionRecord(
            index,
            case.record.model_id.hex(),
            case.record.reasons[0],
            now_ms + limits.days * DAY_MS,
            limits.most,
            said(words),
            now_ms,
        )
        return node.append(record, words), record


def revoke(node: Node, index: int, *, by: str, note: str = "") -> tuple[int, RevocationRecord]:
    """The suppression at record `index` stops nothing more. Raises NotFound, Refused."""
    with node.lock:
        suppression = node.board.book.suppressions.get(index)
        if suppression is None:
            raise NotFound(
                f"record {index} is not a suppression",
                remedy="see `veridict case suppressions`",
                index=index,
            )
        if suppression.revoked is not None:
            raise Refused(
                f"suppression {index} was taken back before, by record {suppression.revoked}",
                remedy="nothing is left to do",
                reason="revoked",
                index=index,
            )
        now_ms = node.parts.clock()
        about = node.log.payload(suppression.record.index)
        words = saying(
            Words(by, note),
            name=f"revocation of suppression {index}",
            subject=owner_of(about) if about else "",
            time_ms=now_ms,
        )
        record = RevocationRecord(index, said(words), now_ms)
        return node.append(record, words), record


def rule_of(node: Node, suppression: Suppression) -> Rule | None:
    """What it stops; None where its words were erased: then it stops nothing."""
    words = read_words(node.log.payload(suppression.index), Suppressing)
    case = node.board.cases.get(suppression.record.index)
    if words is None or case is None:
        return None
    record = suppression.record
    return Rule(
        bytes.fromhex(record.model_id),
        record.feature,
        case.record.decision,
        words.payer,
        words.payee,
        words.up_to,
    )


class Suppressor:
    """A listener of `node`: takes what is suppressed off the queue, a record each."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __call__(self, made: Sequence[Prediction]) -> None:
        node = self._node
        if not node.board.book.suppressions:
            return
        alerts = [one for one in made if one.record.decision is not Decision.ALLOW]
        for alert in alerts:
            with node.lock:
                self._see(alert)

    def _see(self, alert: Prediction) -> None:
        node, facts = self._node, facts_of(alert.payload.request)
        if node.payment_of(alert.index) is not None:
            return  # its tokens wait in the guard
        case = node.board.cases.get(alert.index)
        if case is None or case.decision > alert.record.decision:
            return  # detectors found more than the model
        for suppression in node.board.book.suppressions.values():
            if not suppression.is_active(alert.record.time_ms):
                continue
            rule = rule_of(node, suppression)
            if rule is not None and rule.covers(alert.record, facts):
                now_ms = node.parts.clock()
                node.append(SuppressedRecord(alert.index, suppression.index, now_ms))
                return
