"""POST /api/statements: what other systems say, each answered when it is on disk.

    one statement      a JSON object, up to 64 KiB        201 its receipt, 200 if it stood before
    many               application/x-ndjson, one a line   200 a receipt or an error a line

Sending one again is safe; where too many wait the answer is 503 with Retry-After. A statement
that comes alone is answered by `web.quick`, as a rule, in the same words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from veridict.apps.web.security import Header
from veridict.core.errors import BadInput, VeridictError
from veridict.ledger.waiting import LoopDesk
from veridict.services.ingest import Ingest
from veridict.services.statements import Logged, read_statement

PATH = "/api/statements"
MAX_LINES = 1000
JSON, NDJSON = "application/json", "application/x-ndjson"

_encode = msgspec.json.Encoder().encode


def is_lines(headers: Iterable[Header]) -> bool:
    """Whether the body is many statements."""
    return any(name == b"content-type" and NDJSON.encode() in kind for name, kind in headers)


def told(logged: Logged) -> tuple[int, bytes]:
    """HTTP status and body for one statement that stands in the log."""
    return 200 if logged.again else 201, _encode(logged)


def router_of(ingest: Ingest) -> APIRouter:
    """The route that logs by `ingest`."""
    router = APIRouter()

    @router.post(PATH, status_code=201, responses=_ANSWERS, openapi_extra=_BODY)
    async def statements(request: Request) -> Response:
        """One statement or many, whole JSON objects with an `id` of their own. Needs the token.

        Answered when it is on disk. Sent again it gets the same receipt; other bytes under the
        same id get 409. 503 with Retry-After where too many wait: nothing was logged.
        """
        body = await request.body()
        if is_lines(request.headers.raw):
            return Response(await _many(ingest, body), media_type=NDJSON)
        status, reply = told(await ingest.submit_here(read_statement(body)))
        return Response(reply, status, media_type=JSON)

    return router


async def _many(ingest: Ingest, body: bytes) -> bytes:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadInput(f"{len(lines)} lines", remedy=f"send 1 to {MAX_LINES} statements")
    loop = asyncio.get_running_loop()
    tally, desk = _Tally(len(lines), loop), LoopDesk(loop)
    for at, line in enumerate(lines):
        place = _Line(tally, at)
        try:
            ingest.submit_to(read_statement(line), place, desk)
        except VeridictError as problem:  # what is wrong with one is no other's business
            place.set_exception(problem)
    return b"".join([_encode(said) + b"\n" for said in await tally.whole])


class _Tally:
    """What became of the lines of one request, in their order; `whole` when the last is known."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.whole: asyncio.Future[list[object]] = loop.create_future()
        self._outcomes: list[object] = [None] * count
        self._left = count

    def put(self, at: int, outcome: object) -> None:
        self._outcomes[at] = outcome
        self._left -= 1
        if self._left == 0 and not self.whole.done():  # else the client went away
            self.whole.set_result(self._outcomes)


class _Line:
    """One line's waiter: `ledger.waiting.Waiter`."""

    __slots__ = ("_at", "_tally")

    def __init__(self, tally: _Tally, at: int) -> None:
        self._tally, self._at = tally, at

    def done(self) -> bool:
        return False

    def set_result(self, logged: Logged, /) -> None:
        self._tally.put(self._at, logged)

    def set_exception(self, error: Exception, /) -> None:
        if isinstance(error, VeridictError):
            self._tally.put(self._at, error.as_dict())
        elif not self._tally.whole.done():
            self._tally.whole.set_exception(error)


_STATEMENT: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 256},
        "subject": {"type": "string", "maxLength": 256, "default": ""},
    },
    "additionalProperties": True,
}
_RECEIPT = msgspec.json.schema_components([Logged])[1]["Logged"]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _STATEMENT}, NDJSON: {"schema": {"type": "string"}}},
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "It stood there before; or many, a receipt or an error a line",
        "content": {JSON: {"schema": _RECEIPT}, NDJSON: {"schema": {"type": "string"}}},
    },
    201: {"description": "It is on disk", "content": {JSON: {"schema": _RECEIPT}}},
    409: {"description": "The id was used before, with other bytes"},
    503: {"description": "Too many wait: send it again"},
}
