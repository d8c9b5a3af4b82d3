"""GET /api/status, /api/checkpoint, /api/model, /api/plots: the node as it stands."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from veridict.apps.web.deps import NodeDep
from veridict.apps.web.replies import json_reply
from veridict.services.views import ModelView, PlotsView, StatusView

router = APIRouter(prefix="/api")


@router.get("/status", response_model=StatusView)
def status(node: NodeDep) -> Response:
    return json_reply(node.status())


@router.get("/model", response_model=ModelView | None)
def model(node: NodeDep) -> Response:
    """The registered model, or null while there is none."""
    return json_reply(node.model())


@router.get("/plots", response_model=PlotsView)
def plots(node: NodeDep) -> Response:
    return json_reply(node.plots())


@router.get("/checkpoint", response_class=PlainTextResponse)
def checkpoint(node: NodeDep) -> Response:
    """The signed head of the log, in the C2SP checkpoint format."""
    return PlainTextResponse(node.checkpoint_text())
