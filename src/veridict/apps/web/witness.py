"""POST /add-checkpoint: a witness over HTTP. Nothing else is served, and nothing is asked of it."""

from __future__ import annotations

import logging
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from veridict.core.errors import VeridictError
from veridict.proofs.add_checkpoint import MAX_BODY_BYTES, PATH, Reply

_log = logging.getLogger(__name__)


class Desk(Protocol):
    """Who answers: `services.witness.desk.WitnessDesk`."""

    def add_checkpoint(self, body: bytes) -> Reply: ...


def create_witness_app(desk: Desk) -> Starlette:
    """Bodies over the protocol's largest are refused with 413 before they are read whole."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"more than {MAX_BODY_BYTES} bytes\n", 413)
        try:
            reply = await run_in_threadpool(desk.add_checkpoint, body)
        except VeridictError as error:  # nothing was cosigned; the log asks again
            _log.error("%s: %s", error.code, error.message)
            return PlainTextResponse(f"{error.code}\n", 503)
        # as a header, since Starlette adds a charset to a media type of text
        return Response(reply.body, reply.status, headers={"content-type": reply.kind})

    return Starlette(routes=[Route(f"/{PATH}", add_checkpoint, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
