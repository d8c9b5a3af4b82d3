"""An HTTP client that talks to an application in the process, without a port."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
from starlette.applications import Starlette


class AsgiTransport(httpx.BaseTransport):
    """Each request runs in its own event loop; what the application raises becomes its 500.

    The loop is another thread's: browser tests leave one running in theirs.
    """

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(self._ask(request))).result()

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        reply = await self._inner.handle_async_request(asked)
        content = await reply.aread()
        return httpx.Response(reply.status_code, headers=reply.headers, content=content)


def client(app: Starlette, base_url: str = "http://127.0.0.1:8080") -> httpx.Client:
    return httpx.Client(transport=AsgiTransport(app), base_url=base_url)
