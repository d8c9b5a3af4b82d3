"""Cases as people see and decide them: the face that page, API and command line ask.

The queue is in the order of expected loss. Everything is read from the log at each question;
what is kept between questions is in `known` and in memory alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from veridict.services import acting
from veridict.services.cases import desk, suppressing
from veridict.services.cases.book import Book, Case, Suppression
from veridict.services.cases.drawing import places
from veridict.services.cases.known import Known
from veridict.services.cases.records import CaseRecord
from veridict.services.cases.ring import Edge, graph_of
from veridict.services.cases.views import (
    ActView,
    CaseView,
    EdgeView,
    LinksView,
    NodeView,
    StepView,
    SuppressionView,
    TieView,
)
from veridict.services.feeding.records import VerdictWords
from veridict.services.node import Node
from veridict.services.records import ActRecord
from veridict.services.rows import prediction_row
from veridict.services.sayings import Assignment, Suppressing, Words, read_words
from veridict.services.seven import ERASED

# The gravest of a few cases names them all.
_GRAVITY = ("allowed", "released", "suppressed", "open", "confirmed")


class Casework:
    """Of one node; thread-safe. Who only looks holds up no prediction."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.known = Known(node)

    def cases(
        self,
        *,
        status: str | None = None,
        limit: int = 100,
        order: str = "newest",
        assigned: str | None = None,
    ) -> list[CaseView]:
        """`order` is "newest" or "loss"; `assigned` "" are those that nobody has taken.

        What is usual beside their reasons is told of one case at a time: `case`.
        """
        found = [c for c in list(self._book.cases.values()) if status in (None, c.status)]
        if assigned is not None:
            found = [case for case in found if self._assigned(case) == assigned]
        found = self.known.ranked(found) if order == "loss" else found[::-1]
        return [self.view(case, compare=False) for case in found[:limit]]

    def case(self, index: int) -> CaseView:
        """Raises NotFound."""
        return self.view(desk.case_of(self.node, index))

    def view(self, case: Case, *, compare: bool = True) -> CaseView:
        node, index = self.node, case.index
        payload = node.log.payload(index)
        facts = self.known.facts(index)
        stops = [s for s in self._suppressions() if s.record.index == index]
        return CaseView(
            row=prediction_row(node, index, case.record, payload, compare=compare),
            status=case.status,
            payment_id=node.payment_of(index),
            acts=[act_view(node, at, act) for at, act in case.acts],
            decision=case.decision.word,
            alerts=self._alerts(case),
            last=case.last,
            amount_minor=facts.amount_minor if facts else None,
            expected_loss_minor=self.known.expected_loss(case),
            assigned=self._assigned(case),
            steps=[self._step(at, step) for at, step in case.steps],
            linked=len(self.known.group(index)) - 1,
            stopped_by=case.stopped[1].suppression if case.stopped else None,
            stops=stops[-1].index if stops else None,
        )

    def act(
        self,
        index: int,
        act: acting.Act,
        *,
        by: str,
        note: str,
        seen: int | None = None,
        stop: suppressing.Limits | None = None,
    ) -> ActView:
        """Decide case `index`; with `stop`, a release also stops alerts like it."""
        with self.node.lock:
            logged, record = acting.act(self.node, index, act, by=by, note=note, seen=seen)
            stopping = stop is not None and act == "release" and self._can_stop(index)
            also = None
            if stop is not None and stopping:
                also, _ = suppressing.suppress(self.node, index, stop, by=by, note=note)
            self._tell(index)
        return act_view(self.node, logged, record, also)

    def assign(
        self, index: int, *, to: str, by: str, note: str = "", seen: int | None = None
    ) -> StepView:
        with self.node.lock:
            at, step = desk.assign(self.node, index, to=to, by=by, note=note, seen=seen)
            self._tell(index)
            return self._step(at, step)

    def note(self, index: int, *, note: str, by: str) -> StepView:
        with self.node.lock:
            at, step = desk.note(self.node, index, note=note, by=by)
            self._tell(index)
            return self._step(at, step)

    def links(self, index: int) -> LinksView:
        """Raises NotFound."""
        desk.case_of(self.node, index)
        graph = graph_of(self.node, self.known, index)
        standing, facts = places(graph), self.known.facts(index)
        ring = list(graph.ring)
        around = set(zip(ring, ring[1:] + ring[:1], strict=True))
        named = facts.accounts if facts else ()
        return LinksView(
            index=index,
            cases=self.known.group(index),
            ties=[TieView(*tie, cases=self.known.sharing(tie)) for tie in self.known.ties(index)],
            nodes=[
                NodeView(account, *standing[account], account in named, account in ring)
                for account in graph.accounts
            ],
            edges=[self._edge(edge, around) for edge in graph.edges],
            ring=ring,
            left_out=graph.left_out,
        )

    def exported(self, index: int, *, by: str, note: str, redacted: bool, sha256: str) -> StepView:
        """That a report on it was handed out is noted on the case."""
        with self.node.lock:
            at, step = desk.exported(
                self.node, index, by=by, note=note, redacted=redacted, sha256=sha256
            )
            self._tell(index)
            return self._step(at, step)

    def suppressions(self) -> list[SuppressionView]:
        """Newest first, over or not."""
        return [self._suppression(suppression) for suppression in self._suppressions()[::-1]]

    def suppress(
        self, index: int, limits: suppressing.Limits, *, by: str, note: str = ""
    ) -> SuppressionView:
        with self.node.lock:
            at, _ = suppressing.suppress(self.node, index, limits, by=by, note=note)
            self._tell(index)
            return self._suppression(self._book.suppressions[at])

    def revoke(self, index: int, *, by: str, note: str = "") -> SuppressionView:
        with self.node.lock:
            suppressing.revoke(self.node, index, by=by, note=note)
            suppression = self._book.suppressions[index]
            self._tell(suppression.record.index)
            return self._suppression(suppression)

    @property
    def _book(self) -> Book:
        return self.node.board.book

    def _suppressions(self) -> list[Suppression]:
        return list(self._book.suppressions.values())

    def _tell(self, index: int) -> None:
        case = self._book.cases.get(index)
        if case is not None:
            self.node.bus.publish("case", self.view(case))

    def _can_stop(self, index: int) -> bool:
        facts = self.known.facts(index)
        return facts is not None and bool(facts.payer and facts.payee)

    def _assigned(self, case: Case) -> str:
        at = case.assigned
        if at is None:
            return ""
        words = read_words(self.node.log.payload(at), Assignment)
        return words.to if words else ERASED

    def _alerts(self, case: Case) -> list[str]:
        if case.verdict is None:
            return []
        words = read_words(self.node.log.payload(case.verdict[0]), VerdictWords)
        return [alert.reason for alert in words.alerts] if words else [ERASED]

    def _step(self, at: int, step: CaseRecord) -> StepView:
        payload = self.node.log.payload(at)
        words = read_words(payload, Words) or Words(ERASED, "")
        given = read_words(payload, Assignment) if step.step == "assign" else None
        to = given.to if given else ""
        return StepView(step.step, words.by, words.note, to, step.time_ms, at)

    def _edge(self, edge: Edge, around: set[tuple[str, str]]) -> EdgeView:
        cases: Sequence[Case | None] = [self._book.cases.get(at) for at in edge.payments]
        statuses = ["allowed" if case is None else case.status for case in cases]
        return EdgeView(
            edge.payer,
            edge.payee,
            edge.payments,
            edge.amount_minor,
            max(statuses, key=_GRAVITY.index),
            (edge.payer, edge.payee) in around,
        )

    def _suppression(self, suppression: Suppression) -> SuppressionView:
        node, record = self.node, suppression.record
        words = read_words(node.log.payload(suppression.index), Suppressing)
        names = node.feature_names(bytes.fromhex(record.model_id))
        known = record.feature < len(names)
        return SuppressionView(
            index=suppression.index,
            case=record.index,
            state=self._state(suppression, words),
            reason=names[record.feature] if known else f"feature {record.feature}",
            payer=words.payer if words else ERASED,
            payee=words.payee if words else ERASED,
            up_to_minor=words.up_to if words else None,
            since_ms=record.time_ms,
            until_ms=record.until_ms,
            most=record.most,
            stopped=list(suppression.stopped),
            by=words.by if words else ERASED,
            note=words.note if words else "",
        )

    def _state(self, suppression: Suppression, words: Suppressing | None) -> str:
        if suppression.revoked is not None:
            return "revoked"
        if words is None:
            return "erased"
        if len(suppression.stopped) >= suppression.record.most:
            return "spent"
        return "active" if suppression.is_active(self.node.parts.clock()) else "over"


def act_view(node: Node, index: int, record: ActRecord, suppression: int | None = None) -> ActView:
    words = read_words(node.log.payload(index), Words) or Words(ERASED, "")
    return ActView(record.act, words.by, words.note, record.time_ms, index, suppression)
