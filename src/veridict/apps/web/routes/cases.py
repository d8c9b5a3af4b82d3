"""Cases: what waits for a human, and what a human can do about it.

A member of the staff acts in their own name: `by` is left out, or is that name. The operator's
token names nobody, so there `by` says who acts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from veridict.apps.staff import Member, Role
from veridict.apps.web.deps import Index, Limit, NodeDep
from veridict.apps.web.face import ActName, CaseFace
from veridict.apps.web.replies import json_reply, read_json
from veridict.apps.web.security import too_low
from veridict.core.errors import BadInput, NotAllowed
from veridict.services.cases.suppressing import DAYS, MOST, Limits
from veridict.services.cases.views import (
    ActView,
    CaseView,
    LinksView,
    ReportView,
    StepView,
    SuppressionView,
)

Name = Annotated[str, msgspec.Meta(max_length=80)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
LongNote = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Seen = Annotated[int, msgspec.Meta(ge=0)]
T = TypeVar("T")

Draw = Callable[[CaseFace, int, str, str, bool], ReportView]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who acts; written to the log with the act, sealed."""

    by: Name = ""


class NotedBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: LongNote


class LimitsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: int = DAYS
    most: int = MOST


class ActBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`seen`: `last` of the case that was looked at. `stop`: a release stops alerts like it."""

    note: Note = ""
    seen: Seen | None = None
    stop: LimitsBody | None = None


class AssignBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: Name
    note: Note = ""
    seen: Seen | None = None


class ExportBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: Note = ""
    redacted: bool = True


class SuppressBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: Note = ""
    days: int = DAYS
    most: int = MOST


router = APIRouter(prefix="/api/cases")


@router.get("", response_model=list[CaseView])
def cases(
    node: NodeDep,
    status: Literal["open", "released", "confirmed", "suppressed"] | None = None,
    limit: Limit = 100,
    order: Literal["newest", "loss"] = "newest",
    assigned: str | None = None,
) -> Response:
    """`order=loss`: the largest expected loss first. `assigned`: to whom; empty for nobody."""
    return json_reply(node.cases(status=status, limit=limit, order=order, assigned=assigned))


@router.post("/{index}/{act}", response_model=ActView)
async def act(request: Request, node: NodeDep, index: Index, act: ActName) -> Response:
    """Body `{"by": text, "note": text, "seen": number, "stop": {"days": n, "most": n}}`.

    Needs a token; `stop` the lead's. 409 when the case is decided, or moved on after `seen`.
    """
    body = read_json(await request.body(), ActBody)
    by = _by(request, body, Role.LEAD if body.stop else Role.ANALYST)
    stop = None if body.stop is None else Limits(body.stop.days, body.stop.most)
    done = await run_in_threadpool(
        node.act, index, act, by=by, note=body.note, seen=body.seen, stop=stop
    )
    return json_reply(done)


def router_of(work: CaseFace, draw: Draw) -> APIRouter:
    """What only a node with a log can tell; stands before `router`, whose paths are wider."""
    router = APIRouter(prefix="/api/cases")

    @router.get("/suppressions", response_model=list[SuppressionView])
    def suppressions() -> Response:
        """Newest first, over or not."""
        return json_reply(work.suppressions())

    @router.post("/suppressions/{index}/revoke", response_model=SuppressionView)
    async def revoke(request: Request, index: Index) -> Response:
        """Body `{"by": text, "note": text}`. Needs the lead's token."""
        body = read_json(await request.body(), ActBody)
        by = _by(request, body, Role.LEAD)
        return json_reply(await run_in_threadpool(work.revoke, index, by=by, note=body.note))

    @router.get("/{index}", response_model=CaseView)
    def case(index: Index) -> Response:
        return json_reply(work.case(index))

    @router.get("/{index}/links", response_model=LinksView)
    def links(index: Index) -> Response:
        """Cases of the same group, what ties them together, and the graph around this one."""
        return json_reply(work.links(index))

    @router.post("/{index}/assign", response_model=StepView)
    async def assign(request: Request, index: Index) -> Response:
        """Body `{"by": text, "to": text, "note": text, "seen": number}`. Needs a token."""
        body = read_json(await request.body(), AssignBody)
        by = _by(request, body)
        done = await run_in_threadpool(
            work.assign, index, to=body.to, by=by, note=body.note, seen=body.seen
        )
        return json_reply(done)

    @router.post("/{index}/note", response_model=StepView)
    async def note(request: Request, index: Index) -> Response:
        """Body `{"by": text, "note": text}`. Needs a token."""
        body = read_json(await request.body(), NotedBody)
        by = _by(request, body)
        return json_reply(await run_in_threadpool(work.note, index, note=body.note, by=by))

    @router.post("/{index}/suppress", response_model=SuppressionView)
    async def suppress(request: Request, index: Index) -> Response:
        """Body `{"by": text, "note": text, "days": n, "most": n}`. Needs the lead's token."""
        body = read_json(await request.body(), SuppressBody)
        by = _by(request, body, Role.LEAD)
        limits = Limits(body.days, body.most)
        return json_reply(
            await run_in_threadpool(work.suppress, index, limits, by=by, note=body.note)
        )

    @router.post("/{index}/export", response_model=ReportView)
    async def export(request: Request, index: Index) -> Response:
        """Body `{"by": text, "note": text, "redacted": bool}`. With names it needs the lead's."""
        body = read_json(await request.body(), ExportBody)
        by = _by(request, body, Role.ANALYST if body.redacted else Role.LEAD)
        done = await run_in_threadpool(draw, work, index, by, body.note, body.redacted)
        return json_reply(done)

    return router


def _by(request: Request, body: Body, needed: Role = Role.ANALYST) -> str:
    """Who acts. Raises NotAllowed where the token is another's or of too low a role."""
    member: Member | None = request.app.gate.member(request.scope["headers"])
    if member is None:
        if not body.by.strip():
            raise BadInput("nobody is named", remedy="say in `by` who acts")
        return body.by
    if body.by not in ("", member.name):
        raise NotAllowed(
            f"this token is {member.name}'s", remedy="leave `by` out, or use your own token"
        )
    if member.rank < needed:
        raise too_low(member, needed)
    return member.name
