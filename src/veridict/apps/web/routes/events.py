"""GET /api/events: what happens, as server-sent events.

A connection begins with the present status. A client that comes back with
`Last-Event-ID` is first told the predictions it missed (the newest ones, if it
missed many); an id we did not give is ignored.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Flag
from typing import cast

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from veridict.apps.web.deps import NodeDep
from veridict.apps.web.face import NodeEvent, NodeFace, Subscription
from veridict.core.errors import Refused
from veridict.services.views import PredictionRow

MAX_LISTENERS = 64
REPLAY_ROWS = 100
WAIT_S = 1.0
HEARTBEAT_AFTER = 10  # quiet waits, so about 10 s: below the idle limits of common proxies

router = APIRouter(prefix="/api")


class Desk:
    """Who listens to this application, and whether it is closing."""

    def __init__(self) -> None:
        self.closing = Flag()
        self.listeners = 0
        # Its own threads: waiting listeners must not starve the routes of theirs.
        self.threads = ThreadPoolExecutor(MAX_LISTENERS, "listener")

    @contextmanager
    def seat(self) -> Iterator[None]:
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request, node: NodeDep) -> Response:
    desk = cast(Desk, request.app.state.desk)
    if desk.listeners >= MAX_LISTENERS:
        raise Refused(
            f"{MAX_LISTENERS} listeners are connected already",
            remedy="close other tabs of the dashboard",
            reason="too many listeners",
        )
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else None
    return StreamingResponse(
        _stream(node, desk, after),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _stream(node: NodeFace, desk: Desk, after: int | None) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    with desk.seat(), node.bus.subscribe() as subscription:
        yield b"retry: 2000\n\n"
        yield _message("status", await run_in_threadpool(node.status))
        if after is not None:
            for row in await run_in_threadpool(_missed, node, after):
                yield _message("prediction", row)
        quiet = 0
        while not desk.closing.is_set():
            event = await loop.run_in_executor(desk.threads, _next, subscription)
            quiet = 0 if event else quiet + 1
            if event:
                yield _message(event.kind, event.data)
            elif quiet % HEARTBEAT_AFTER == 0:
                yield b": still here\n\n"


def _next(subscription: Subscription) -> NodeEvent | None:
    try:
        return subscription.get(timeout=WAIT_S)
    except queue.Empty:
        return None


def _missed(node: NodeFace, after: int) -> list[PredictionRow]:
    rows = node.predictions(before=None, limit=REPLAY_ROWS, decision=None)
    return [row for row in reversed(rows) if row.index > after]


def _message(kind: str, data: object) -> bytes:
    # JSON holds no raw line feed, so one data line always suffices.
    identity = b"id: %d\n" % data.index if isinstance(data, PredictionRow) else b""
    return b"event: %s\n%sdata: %s\n\n" % (kind.encode(), identity, msgspec.json.encode(data))
