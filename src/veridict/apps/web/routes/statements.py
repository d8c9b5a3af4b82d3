"""POST /api/statements: the busiest route, answered before the framework's machinery.

    one statement      a JSON object, up to 64 KiB        201 its receipt, 200 if it stood before
    many               application/x-ndjson, one a line   200 a receipt or an error a line

Every statement is answered when it is on disk. Sending one again is safe; where too many wait
the answer is 503 with Retry-After. The gate stands in front and has read the whole body.
`web.quick` answers what comes alone on a kept connection; everything else comes here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from veridict.apps.web.replies import failure_reply
from veridict.apps.web.security import Header
from veridict.core.errors import BadInput, VeridictError
from veridict.services.ingest import Ingest
from veridict.services.statements import Logged, read_statement

PATH = "/api/statements"
MAX_LINES = 1000
JSON, _NDJSON = b"application/json", b"application/x-ndjson"

_encode = msgspec.json.Encoder().encode


def is_lines(headers: Iterable[Header]) -> bool:
    """Whether the body is many statements."""
    return any(name == b"content-type" and _NDJSON in kind for name, kind in headers)


def told(logged: Logged) -> tuple[int, bytes]:
    """HTTP status and body for one statement that stands in the log."""
    return 200 if logged.again else 201, _encode(logged)


class Statements:
    """ASGI middleware: answers its one route and passes on all else."""

    def __init__(self, app: ASGIApp, *, ingest: Ingest) -> None:
        self._app, self._ingest = app, ingest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body: bytes = (await receive()).get("body", b"")
        try:
            if is_lines(scope["headers"]):
                status, kind, reply = 200, _NDJSON, await self._many(body)
            else:
                (status, reply), kind = told(await self._said(body)), JSON
        except Exception as error:
            await failure_reply(error, "POST", PATH)(scope, receive, send)
            return
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(reply))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    async def _many(self, body: bytes) -> bytes:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= MAX_LINES:
            raise BadInput(f"{len(lines)} lines", remedy=f"send 1 to {MAX_LINES} statements")
        return b"".join([_encode(said) + b"\n" for said in await self._outcomes(lines)])

    async def _outcomes(self, lines: Sequence[bytes]) -> list[object]:
        """In the order of `lines`; what is wrong with one is no other's business."""
        outcomes = await asyncio.gather(*map(self._said, lines), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, VeridictError):
                raise outcome
        return [o.as_dict() if isinstance(o, VeridictError) else o for o in outcomes]

    async def _said(self, line: bytes) -> Logged:
        return await self._ingest.submit_here(read_statement(line))
