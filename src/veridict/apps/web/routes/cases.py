"""Cases: what waits for a human, and the two things a human can do about it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from veridict.apps.web.deps import Index, Limit, NodeDep
from veridict.apps.web.face import ActName
from veridict.apps.web.replies import json_reply, read_json
from veridict.services.views import ActView, CaseView

router = APIRouter(prefix="/api/cases")


class ActBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts and why; both are written to the log with the act."""

    by: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


@router.get("", response_model=list[CaseView])
def cases(
    node: NodeDep,
    status: Literal["open", "released", "confirmed"] | None = None,
    limit: Limit = 100,
) -> Response:
    return json_reply(node.cases(status=status, limit=limit))


@router.post("/{index}/{act}", response_model=ActView)
async def act(request: Request, node: NodeDep, index: Index, act: ActName) -> Response:
    """Body `{"by": text, "note": text}`. Needs the token. 409 when the case is already decided."""
    body = read_json(await request.body(), ActBody)
    return json_reply(await run_in_threadpool(node.act, index, act, by=body.by, note=body.note))
