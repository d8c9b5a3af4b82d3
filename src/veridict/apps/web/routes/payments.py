"""Payments asked about, each answered with its decision when that is on disk; and all feeds.

POST /api/payments   one payment as JSON           201 decided now, 200 decided before
                     application/x-ndjson, one a   200, an answer or an error a line
                     line, up to MAX_LINES
GET  /api/feeds      what is followed, and what was not decided and why

One id is one payment: sent again it gets the same decision, sent with other parties or another
amount it is refused (409). Where too many wait the answer is 503 with Retry-After.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from veridict.apps.web.replies import json_reply
from veridict.core.errors import BadInput, BadStream, Refused, VeridictError
from veridict.services.feeding.telling import FeedView
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Outcome, sample_of
from veridict.watch.feeds.posted import PostedFeed
from veridict.watch.feeds.wire import drop_code, read_payment

MAX_LINES = 512
SOURCE = "http"
_NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class DecidedView:
    """`index`: where the prediction stands in the log. `again`: it stood there before."""

    id: str
    decision: str
    index: int
    again: bool
    reasons: list[str]


def router_of(
    feed: PostedFeed | None, assets: Assets, feeds: Callable[[], list[FeedView]]
) -> APIRouter:
    """Without a `feed`, payments are not taken."""
    router = APIRouter(prefix="/api")

    @router.get("/feeds", response_model=list[FeedView])
    def followed() -> Response:
        """How far each feed was followed, and what of it was not decided, by why."""
        return json_reply(feeds())

    if feed is None:
        return router

    @router.post("/payments", response_model=DecidedView)
    async def ask(request: Request) -> Response:
        """A payment, or several as JSON lines; see the page on watching a feed. Needs the token."""
        body = await request.body()
        if _NDJSON not in request.headers.get("content-type", ""):
            view = await _decided(_asked(feed, body, assets))
            return json_reply(view, 200 if view.again else 201)
        lines = [line for line in body.split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= MAX_LINES:
            raise BadInput(f"{len(lines)} lines", remedy=f"send 1 to {MAX_LINES} payments")
        answers = [await _line(one) for one in [_begun(feed, line, assets) for line in lines]]
        return Response(b"".join(answers), media_type=_NDJSON)

    return router


def _asked(feed: PostedFeed, body: bytes, assets: Assets) -> Future[Outcome]:
    try:
        event = read_payment(body, assets, SOURCE)
    except BadInput as problem:
        feed.refused(Dropped("", drop_code(problem), problem.message, sample=sample_of(body)))
        raise
    return feed.offer(event)


def _begun(feed: PostedFeed, line: bytes, assets: Assets) -> Future[Outcome] | VeridictError:
    try:
        return _asked(feed, line, assets)
    except VeridictError as problem:
        return problem


async def _line(begun: Future[Outcome] | VeridictError) -> bytes:
    try:
        if isinstance(begun, VeridictError):
            raise begun
        answer: object = asdict(await _decided(begun))
    except VeridictError as problem:
        answer = problem.as_dict()
    return msgspec.json.encode(answer) + b"\n"


async def _decided(asked: Future[Outcome]) -> DecidedView:
    outcome = await asyncio.wrap_future(asked)
    if outcome.refused == "contradiction":
        raise Refused(
            "this id was used before, for another payment",
            remedy="give every payment an id of its own; send one again as it was",
            reason="contradiction",
            index=outcome.index,
        )
    if outcome.decision is None or outcome.index is None:
        raise BadStream(
            f"the payment was not decided: {outcome.refused}",
            remedy="send the time at which it was ordered",
            drop=outcome.refused,
        )
    id = outcome.item.event.id if isinstance(outcome.item, Arrived) else ""
    return DecidedView(id, outcome.decision.word, outcome.index, outcome.again, [*outcome.reasons])
