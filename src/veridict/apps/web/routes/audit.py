"""GET /api/audit: replays the whole log and answers with numbered checks. Takes seconds."""

from __future__ import annotations

from threading import Lock
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from veridict.apps.web.deps import NodeDep
from veridict.apps.web.replies import json_reply
from veridict.core.errors import Refused
from veridict.services.views import CheckView

router = APIRouter(prefix="/api")


@router.get("/audit", response_model=list[CheckView])
def audit(request: Request, node: NodeDep) -> Response:
    """An audit changes nothing and needs no token, but only one runs at a time."""
    running = cast(Lock, request.app.state.audit_running)
    if not running.acquire(blocking=False):
        raise Refused(
            "an audit is already running",
            remedy="wait until it has finished",
            reason="one at a time",
        )
    try:
        return json_reply(node.audit())
    finally:
        running.release()
