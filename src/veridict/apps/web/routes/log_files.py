"""GET /log/checkpoint, /log/tile/…: the log as https://c2sp.org/tlog-tiles serves it.

The prefix is `<dashboard>/log`. Tiles and bundles never change and may be cached for ever;
the checkpoint for two seconds.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from veridict.apps.web.face import PublicLog
from veridict.core.errors import BadInput, NotFound
from veridict.proofs.tlog_tiles import TilePath

FOR_EVER = "public, max-age=31536000, immutable"
FOR_SECONDS = "public, max-age=2"


def router_of(log: PublicLog) -> APIRouter:
    """The two routes over `log`."""
    router = APIRouter(prefix="/log")

    @router.get("/checkpoint")
    def checkpoint() -> Response:
        head = log.checkpoint()
        if head is None:
            raise _missing("checkpoint")
        headers = {"cache-control": FOR_SECONDS}
        return Response(head.text, media_type="text/plain; charset=utf-8", headers=headers)

    @router.get("/tile/{rest:path}")
    def tile(rest: str) -> Response:
        name = f"tile/{rest}"
        try:
            path = TilePath.parse(name)
        except BadInput as error:
            raise _missing(name) from error
        data = log.tile(path)
        if data is None:
            raise _missing(name)
        headers = {"cache-control": FOR_EVER}
        return Response(data, media_type="application/octet-stream", headers=headers)

    return router


def _missing(name: str) -> NotFound:
    return NotFound(
        f"{name[:100]} is no file of this log",
        remedy="begin with log/checkpoint; it says how many tiles there are",
    )
