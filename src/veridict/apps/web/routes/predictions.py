"""Decisions: the list, one with its seven stages, its receipt; and asking for new ones."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from veridict.apps.web.deps import MAX_ROWS, Before, Index, Limit, NodeDep
from veridict.apps.web.replies import json_reply, read_json
from veridict.core.errors import BadInput
from veridict.services.views import PredictionRow, PredictionView

router = APIRouter(prefix="/api/predictions")


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`rows[i]` are the features of the request called `ids[i]`; null is a missing value."""

    ids: list[Annotated[str, msgspec.Meta(min_length=1, max_length=256)]]
    rows: list[list[float | None]]


@router.get("", response_model=list[PredictionRow])
def predictions(
    node: NodeDep,
    before: Before = None,
    limit: Limit = 50,
    decision: Literal["allow", "review", "hold"] | None = None,
) -> Response:
    """Newest first, by log index."""
    return json_reply(node.predictions(before=before, limit=limit, decision=decision))


@router.get("/{index}", response_model=PredictionView)
def prediction(node: NodeDep, index: Index) -> Response:
    return json_reply(node.prediction(index))


@router.get("/{index}/receipt")
def receipt(node: NodeDep, index: Index) -> Response:
    """The self-contained receipt as a file; 409 until the record is anchored."""
    name = f"veridict-receipt-{index}.json"
    return Response(
        node.receipt_json(index),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.post("", response_model=list[PredictionRow])
async def predict(request: Request, node: NodeDep) -> Response:
    """Body `{"ids": [text], "rows": [[number or null]]}`. Needs the token.

    An id is decided once: asked again with the same features it gets the same answer, with
    others 409, and then nothing of the call is decided.
    """
    asked = read_json(await request.body(), Rows)
    if not 1 <= len(asked.rows) <= MAX_ROWS or len(asked.ids) != len(asked.rows):
        raise BadInput(
            f"{len(asked.ids)} ids and {len(asked.rows)} rows",
            remedy=f"send one id a row, and 1 to {MAX_ROWS} rows",
        )
    return json_reply(await run_in_threadpool(node.predict_json, asked.ids, asked.rows))
