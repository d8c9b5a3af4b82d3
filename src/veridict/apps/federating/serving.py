"""This member, for its peers: the server's end. It answers what it has, and takes nothing in."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from threading import Thread

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from veridict.apps.federating.cards import Card
from veridict.apps.federating.tls import trust
from veridict.apps.web.server import bind
from veridict.services.federation.exchange import Exchange

MAX_BODY = 1 << 20


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """A peer's question: posts of a round at other places than it has."""

    round: int
    have: list[tuple[str, int]]


def create_app(exchange: Exchange) -> Starlette:
    async def posts(request: Request) -> Response:
        try:
            wanted = msgspec.msgpack.decode(await _body(request), type=Wanted)
        except msgspec.MsgspecError as error:
            return PlainTextResponse(f"input.bad: {error}\n", 400)
        found = await run_in_threadpool(exchange.posts, wanted.round, frozenset(wanted.have))
        return _binary(msgspec.msgpack.encode(found))

    async def state(request: Request) -> Response:
        found: bytes | None = await run_in_threadpool(exchange.state, await _body(request))
        return _binary(found or b"")

    return Starlette(
        routes=[
            Route("/v1/federation/posts", posts, methods=["POST"]),
            Route("/v1/federation/state", state, methods=["POST"]),
        ]
    )


class FederationServer:
    """`with FederationServer(...) as server:` serves in a thread. Raises BadInput if taken."""

    def __init__(self, exchange: Exchange, context: ssl.SSLContext, host: str, port: int) -> None:
        self._context = context
        self._socket = bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            create_app(exchange),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            limit_concurrency=256,
        )
        config.load()
        config.ssl = context
        self._server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run, args=([self._socket],), name="federation", daemon=True
        )

    def trust(self, cards: Iterable[Card]) -> None:
        trust(self._context, cards)

    def __enter__(self) -> FederationServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


async def _body(request: Request) -> bytes:
    """Cut at the largest that is asked here; what is cut does not decode."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            break
    return bytes(body[:MAX_BODY])


def _binary(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream")
