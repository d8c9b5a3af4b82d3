"""A case as a report to hand on, in the manner of a suspicious activity report.

Whom it is about, what happened, told from the recorded reasons; the payments of its group and its
ring; what persons did; and for each payment the record that proves it: leaf, anchor, and a receipt
that `veridict verify` checks with the chain alone. A redacted report names nobody and opens no
commitment: it has no receipts, and says where they can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from veridict.core.errors import VeridictError
from veridict.proofs.merkle import leaf_hash
from veridict.services.board import probability
from veridict.services.cases.casework import Casework
from veridict.services.cases.desk import moment
from veridict.services.cases.facts import facts_of
from veridict.services.cases.naming import Naming
from veridict.services.cases.views import CaseView, LinksView
from veridict.services.node import Node

FORMAT = "veridict-case-report/1"
_DONE = {"assign": "assigned it", "note": "noted", "export": "made a report"}
_DECIDED = {"release": "released it", "confirm": "confirmed it"}


class Transaction(msgspec.Struct, frozen=True):
    """One payment. `status` is its case's, or "allowed". Amount in minor units."""

    index: int
    payment: str
    time_s: int
    payer: str
    payee: str
    amount_minor: int | None
    decision: str
    probability: str
    status: str
    in_ring: bool


class Done(msgspec.Struct, frozen=True):
    """What a person did; `index` is its record in the log."""

    what: str
    by: str
    to: str
    note: str
    time_ms: int
    index: int


class Evidence(msgspec.Struct, frozen=True):
    """What proves a payment's record: its leaf, how far it has come, and its receipt.

    `receipt` is None where the report is redacted, or the record not anchored yet.
    """

    index: int
    record: str
    leaf: str
    state: str
    receipt: dict[str, Any] | None


class Report(msgspec.Struct, frozen=True):
    """See the module. All times in seconds or milliseconds since 1970, as their names say."""

    format: str
    redacted: bool
    made_at_ms: int
    origin: str
    verifier_key: str
    model_id: str
    chain_id: int
    case: int
    status: str
    decision: str
    subject: str
    amount_minor: int | None
    expected_loss_minor: int | None
    narrative: list[str]
    reasons: list[str]
    transactions: list[Transaction]
    ties: list[str]
    ring: list[str]
    acts: list[Done]
    evidence: list[Evidence]

    def to_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def report_on(work: Casework, index: int, naming: Naming) -> Report:
    """Raises NotFound where `index` is no case, Refused where its payload was erased."""
    node = work.node
    view, links = work.case(index), work.links(index)
    shown = sorted({at for edge in links.edges for at in edge.payments} | {index})
    ring = {at for edge in links.edges if edge.in_ring for at in edge.payments}
    payments = [t for at in shown if (t := _transaction(work, at, at in ring, naming))]
    about = work.known.facts(index)
    subject = naming.account(about.payer) if about else ""
    reasons = [_reason(reason.text, reason.usual) for reason in view.row.reasons]
    acts = sorted(_done(view, naming), key=lambda done: done.index)
    return Report(
        format=FORMAT,
        redacted=naming.redacted,
        made_at_ms=node.parts.clock(),
        origin=node.log.origin,
        verifier_key=node.log.verifier.vkey,
        model_id=node.board.cases[index].record.model_id.hex(),
        chain_id=node.network.addresses.chain_id,
        case=index,
        status=view.status,
        decision=view.decision,
        subject=subject or "erased",
        amount_minor=view.amount_minor,
        expected_loss_minor=view.expected_loss_minor,
        narrative=list(_narrative(view, links, payments, acts, naming)),
        reasons=reasons + [naming.text(alert) for alert in view.alerts],
        transactions=payments,
        ties=[_tie(tie.what, tie.which, tie.cases, naming) for tie in links.ties],
        ring=[naming.account(account) for account in links.ring],
        acts=acts,
        evidence=[_evidence(node, at, naming) for at in shown],
    )


def _transaction(work: Casework, at: int, in_ring: bool, naming: Naming) -> Transaction | None:
    node = work.node
    record, request = node.request_of(at)
    if request is None:
        return None
    facts, case = facts_of(request), node.board.cases.get(at)
    return Transaction(
        index=at,
        payment=naming.payment(request.id),
        time_s=facts.time_s,
        payer=naming.account(facts.payer),
        payee=naming.account(facts.payee),
        amount_minor=facts.amount_minor,
        decision=record.decision.word,
        probability=f"{probability(record.score):.4f}",
        status=case.status if case else "allowed",
        in_ring=in_ring,
    )


def _narrative(
    view: CaseView,
    links: LinksView,
    payments: list[Transaction],
    acts: list[Done],
    naming: Naming,
) -> Iterator[str]:
    own = next((payment for payment in payments if payment.index == view.row.index), None)
    if own is None:
        yield "What the payment was is erased; its record and its proof stand."
    else:
        to = f" to {own.payee}" if own.payee else ""
        yield (
            f"On {moment(own.time_s * 1000)} {own.payer} paid {amount(own.amount_minor)}{to}. "
            f"The model's decision was {own.decision}, at a probability of {own.probability}."
        )
    if view.row.reasons:
        first = view.row.reasons[0]
        yield f"The strongest reason: {_reason(first.text, first.usual)}."
    if links.ring:
        way = [naming.account(account) for account in links.ring]
        yield f"It closes a ring of {len(way)} payments: {' → '.join([*way, way[0]])}."
    if view.linked:
        confirmed = sum(payment.status == "confirmed" for payment in payments)
        yield (
            f"It hangs together with {view.linked:,} other cases; "
            f"{confirmed} of the payments below were confirmed by a person."
        )
    for done in acts:
        to = f" to {done.to}" if done.to else ""
        said = f": {done.note}" if done.note else ""
        yield f"On {moment(done.time_ms)} {done.by} {done.what}{to}{said}"


def _done(view: CaseView, naming: Naming) -> Iterator[Done]:
    for act in view.acts:
        by, note = naming.person(act.by), naming.text(act.note)
        yield Done(_DECIDED[act.act], by, "", note, act.time_ms, act.index)
    for step in view.steps:
        by, to, note = naming.person(step.by), naming.person(step.to), naming.text(step.note)
        yield Done(_DONE[step.step], by, to, note, step.time_ms, step.index)


def _evidence(node: Node, at: int, naming: Naming) -> Evidence:
    body = node.log.body(at)
    receipt: dict[str, Any] | None = None
    if not naming.redacted:
        try:
            receipt = msgspec.json.decode(node.receipt(at).to_json())
        except VeridictError:
            receipt = None  # not anchored yet, or erased
    return Evidence(at, body.hex(), leaf_hash(body).hex(), node.state(at).word, receipt)


def _tie(what: str, which: str, cases: list[int], naming: Naming) -> str:
    named = ", ".join(f"#{case}" for case in cases[:20])
    more = f" and {len(cases) - 20} more" if len(cases) > 20 else ""
    shared = naming.thing(what, which)
    return f"{shared if naming.redacted else f'{what} {shared}'}: cases {named}{more}"


def _reason(text: str, usual: Any) -> str:
    return f"{text} ({usual.text})" if usual and usual.text else text


def amount(minor: int | None) -> str:
    return "an amount that is not told" if minor is None else f"{minor / 100:,.2f}"
