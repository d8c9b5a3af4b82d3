"""A small true node for the web: everything in memory, the same methods, the same errors.

It decides by a fixed rule instead of a model, and its hashes are hashes of what
it stores, so that pages show plausible values. No chain, no log, no proofs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from threading import Lock

from tests.support import small_views
from veridict.apps.web.face import ActName
from veridict.core.errors import NotFound, Refused
from veridict.core.nouns import SCORE_ONE, Decision, Policy
from veridict.ledger.lookup import Query
from veridict.services import views
from veridict.services.bus import Bus
from veridict.services.cases.suppressing import Limits
from veridict.services.cases.views import ActView, CaseView
from veridict.services.records import Ground

POLICY = Policy(review_at=-SCORE_ONE, hold_at=SCORE_ONE)


def within(value: int, span: tuple[int, int]) -> bool:
    return span[0] <= value <= span[1]


class SmallNode:
    """`predict_json` scores a row by the sum of its numbers, in log-odds."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.anchored = 0
        self.demo = "done"
        self._rows: list[views.PredictionRow] = []
        self._cases: dict[int, CaseView] = {}
        self._acts = 0
        self._lock = Lock()

    def predict_json(
        self, ids: list[str], rows: list[list[float | None]]
    ) -> list[views.PredictionRow]:
        return [self.add(i, sum(v or 0.0 for v in row)) for i, row in zip(ids, rows, strict=True)]

    def add(
        self,
        request_id: str,
        log_odds: float,
        subject: str = "account 1",
        reasons: list[views.ReasonView] | None = None,
    ) -> views.PredictionRow:
        """Decide one request, record it and tell the subscribers."""
        with self._lock:
            score = round(log_odds * SCORE_ONE)
            decision = POLICY.decide(score)
            row = small_views.row(len(self._rows), request_id, subject, score, decision, reasons)
            self._rows.append(row)
            if decision is not Decision.ALLOW:
                self._cases[row.index] = CaseView(row, "open", None, [])
        self.bus.publish("prediction", row)
        return row

    def anchor(self) -> None:
        """Everything recorded so far counts as anchored."""
        self.anchored = len(self._rows)
        self.bus.publish("status", self.status())

    def status(self) -> views.StatusView:
        rows = self._rows
        counts = {d.word: sum(r.decision == d.word for r in rows) for d in Decision}
        waiting = sum(case.status == "open" for case in self._cases.values())
        return small_views.status(len(rows), self.anchored, counts, waiting, self.demo)

    def predictions(
        self, *, before: int | None, limit: int, decision: str | None
    ) -> list[views.PredictionRow]:
        newest = reversed(self._rows if before is None else self._rows[:before])
        return [self._now(r) for r in newest if decision in (None, r.decision)][:limit]

    def prediction(self, index: int) -> views.PredictionView:
        if index >= len(self._rows):
            raise NotFound(f"no prediction {index}", remedy="list the predictions", index=index)
        row = self._now(self._rows[index])
        ready = index < self.anchored
        return views.PredictionView(row, small_views.stages(row, ready), ready)

    def receipt_json(self, index: int) -> bytes:
        view = self.prediction(index)
        if not view.receipt_ready:
            raise Refused(
                f"record {index} is not anchored yet",
                remedy="ask again after the next anchor",
                reason="not anchored",
            )
        return json.dumps({"index": index, "request": view.row.request_id}).encode()

    def cases(
        self, *, status: str | None, limit: int, order: str = "newest", assigned: str | None = None
    ) -> list[CaseView]:
        """Nothing is assigned here, and everything is worth the same."""
        newest = reversed(self._cases.values())
        return [
            replace(case, row=self._now(case.row))
            for case in newest
            if status in (None, case.status) and not assigned
        ][:limit]

    def act(
        self,
        index: int,
        act: ActName,
        *,
        by: str,
        note: str,
        seen: int | None = None,
        stop: Limits | None = None,
    ) -> ActView:
        with self._lock:
            case = self._cases.get(index)
            if case is None:
                raise NotFound(f"no case {index}", remedy="list the cases", index=index)
            if case.status != "open":
                raise Refused(
                    f"case {index} is {case.status} already",
                    remedy="reload the list",
                    reason="already decided",
                )
            self._acts += 1
            done = ActView(act, by, note, case.row.time_ms + 60_000, 90_000 + self._acts)
            word = "released" if act == "release" else "confirmed"
            decided = replace(case, status=word, acts=[*case.acts, done])
            self._cases[index] = decided
        self.bus.publish("case", decided)
        return done

    def erase(
        self, subject: str, *, ground: Ground, by: str, note: str = ""
    ) -> list[views.ErasedView]:
        """`ground`, `by` and `note` go into a record that the double does not keep."""
        with self._lock:
            theirs = [row for row in self._rows if row.subject == subject]
            if not theirs:
                raise NotFound("nothing is kept of this subject", remedy="look for another name")
            for row in theirs:
                self._rows[row.index] = replace(
                    row, request_id="", subject="", summary="erased", reasons=[]
                )
            self._acts += 1
        salt = sha256(subject.encode()).hexdigest()
        return [views.ErasedView(90_000 + self._acts, len(theirs), salt[::-1], salt)]

    def find(self, query: Query, *, start: int, limit: int, newest: bool) -> list[views.FoundView]:
        found = [
            small_views.found(row)
            for row in self._rows[start:]
            if query.request in (None, row.request_id)
            and query.subject in (None, row.subject)
            and (query.sequences is None or within(row.sequence, query.sequences))
        ]
        return (found[::-1] if newest else found)[:limit]

    def model(self) -> views.ModelView | None:
        return small_views.model() if self._rows else None

    def plots(self) -> views.PlotsView:
        return small_views.plots(self._rows)

    def checkpoint_text(self) -> str:
        root = sha256(b"%d" % len(self._rows)).hexdigest()
        return f"small.example/log\n{len(self._rows)}\n{root}\n\n— small.example/log c2lnbmF0dXJl\n"

    def audit(self) -> list[views.CheckView]:
        return small_views.checks(len(self._rows))

    def _now(self, row: views.PredictionRow) -> views.PredictionRow:
        return replace(row, state="anchored" if row.index < self.anchored else "durable")
