"""Finding records by what people know of them, and forgetting a person."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from veridict.apps.web.deps import Limit, NodeDep
from veridict.apps.web.replies import json_reply, read_json
from veridict.ledger import lookup
from veridict.services.records import Ground
from veridict.services.views import ErasedView, FoundView

router = APIRouter(prefix="/api")

_MOST = 2**63 - 1
Hash = Annotated[str | None, Query(pattern="^[0-9a-fA-F]{64}$")]
Name = Annotated[str | None, Query(max_length=65_535)]
Number = Annotated[int | None, Query(ge=0, le=_MOST)]


class ErasureBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom, why, and who says so; `by` and `note` are committed to and kept sealed."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=65_535)]
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    ground: Ground = "request"
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


@router.get("/find", response_model=list[FoundView])
def find(
    node: NodeDep,
    record: Hash = None,
    request: Name = None,
    subject: Name = None,
    model: Hash = None,
    from_ms: Number = None,
    to_ms: Number = None,
    sequence_from: Number = None,
    sequence_to: Number = None,
    start: Annotated[int, Query(ge=0, le=_MOST)] = 0,
    limit: Limit = 100,
    newest: bool = False,
) -> Response:
    """Records from index `start` on that fit all that is given, in the order of the log."""
    query = lookup.Query(
        leaf=None if record is None else bytes.fromhex(record),
        request=request,
        subject=subject,
        model=None if model is None else bytes.fromhex(model),
        times=_span(from_ms, to_ms),
        sequences=_span(sequence_from, sequence_to),
    )
    return json_reply(node.find(query, start=start, limit=limit, newest=newest))


@router.post("/erasures", response_model=list[ErasedView])
async def erase(request: Request, node: NodeDep) -> Response:
    """Body `{"subject": text, "by": text, "ground": text, "note": text}`. Needs the token."""
    body = read_json(await request.body(), ErasureBody)
    done = await run_in_threadpool(
        node.erase, body.subject, ground=body.ground, by=body.by, note=body.note
    )
    return json_reply(done)


def _span(first: int | None, last: int | None) -> tuple[int, int] | None:
    if first is None and last is None:
        return None
    return first or 0, _MOST if last is None else last
