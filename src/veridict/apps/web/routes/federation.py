"""GET /api/federation: what this home's members saw of their federations' rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from veridict.apps.web.replies import json_reply
from veridict.services.federation.views import FederationView

Federations = Callable[[], Sequence[FederationView]]


def none_joined() -> Sequence[FederationView]:
    """For a home without a federation."""
    return ()


def router_of(kept: Federations) -> APIRouter:
    """`kept` is asked anew at every call."""
    router = APIRouter(prefix="/api")

    @router.get("/federation", response_model=list[FederationView])
    def federation() -> Response:
        """Federations with their members and rounds, the newest round first."""
        return json_reply(list(kept()))

    return router
