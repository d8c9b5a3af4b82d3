"""GET /api/network: what is forecast of a chain's fees, as it was kept last."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from veridict.apps.web.replies import json_reply
from veridict.services.network.views import OutlookView

Outlook = Callable[[], OutlookView | None]


def nothing_kept() -> OutlookView | None:
    """For a home without a forecast."""
    return None


def router_of(kept: Outlook) -> APIRouter:
    """`kept` is asked anew at every call."""
    router = APIRouter(prefix="/api")

    @router.get("/network", response_model=OutlookView | None)
    def network() -> Response:
        """The newest outlook, or null where `veridict network forecast` was never run."""
        return json_reply(kept())

    return router
