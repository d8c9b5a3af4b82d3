"""Serves the dashboard: in a thread beside a running node, or until a signal comes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread
from types import FrameType, TracebackType
from typing import cast

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from veridict.apps.web.app import WebApp
from veridict.apps.web.quick import QuickHttp
from veridict.apps.web.routes.events import Desk
from veridict.core.errors import BadInput

_GRACE_S = 2
_START_WAIT_S = 10.0
_MAX_AT_ONCE = 256  # requests; more are answered 503


class _Uvicorn(uvicorn.Server):
    """Tells the event streams to end when a signal arrives; they would wait for ever."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        _close_streams(cast(FastAPI, self.config.app))
        super().handle_exit(sig, frame)


class WebServer:
    """`with WebServer(app, host, port) as server:` serves in a thread. Port 0 picks a free one.

    Raises BadInput when the address is taken.
    """

    def __init__(self, app: WebApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app = app
        self._socket = bind(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, http=QuickHttp, log_config=None, access_log=False, server_header=False,
            timeout_graceful_shutdown=_GRACE_S, lifespan="off", proxy_headers=False,
        )  # fmt: skip
        self._server = _Uvicorn(config)
        self._thread = Thread(target=self._serve, name="web", daemon=True)

    @property
    def url(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}/"

    def run(self) -> None:
        """Serves in this thread until SIGINT or SIGTERM."""
        self._serve()

    def start(self) -> None:
        # The socket already listens, so a client that connects now is answered soon.
        self._thread.start()

    def stop(self) -> None:
        _close_streams(self._app)
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_START_WAIT_S)

    def __enter__(self) -> WebServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


def serve_app(app: Starlette, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serves `app` in this thread until SIGINT or SIGTERM; `tell` is given its URL first.

    Raises BadInput when the address is taken.
    """
    sock = bind(host, port)
    name = f"[{host}]" if ":" in host else host
    tell(f"http://{name}:{sock.getsockname()[1]}/")
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=_GRACE_S, lifespan="off", limit_concurrency=_MAX_AT_ONCE,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[sock])


def _close_streams(app: FastAPI) -> None:
    cast(Desk, app.state.desk).closing.set()


def bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as cause:
        sock.close()
        raise BadInput(
            f"cannot serve on {host}:{port}: {cause.strerror}",
            remedy="choose another port, or stop the program that uses this one",
            port=port,
        ) from cause
    sock.listen(128)
    return sock
