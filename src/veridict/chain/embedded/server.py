"""JSON-RPC over HTTP on a loopback address, in threads of this process.

A web page in the user's browser must not reach it: the Host header has to name
a loopback address (DNS rebinding), the content type has to be JSON (a simple
cross-site request cannot set it), and no CORS header is ever sent.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from veridict.chain.embedded.methods import Chain
from veridict.chain.embedded.rpc import answer_bytes
from veridict.core.errors import BadInput, StorageFailed

MAX_BODY_BYTES = 16 * 2**20  # a batch of 128 deployments of 48 kB, in hex
IDLE_TIMEOUT_S = 60
_log = logging.getLogger(__name__)


class RpcServer:
    """Runs until `close`."""

    def __init__(self, chain: Chain, host: str, port: int) -> None:
        if not is_loopback(host):
            raise BadInput(
                f"{host} is not a loopback address",
                remedy="use 127.0.0.1: the embedded chain's RPC knows no users; "
                "run an Ethereum node to share a chain between machines",
            )
        try:
            self._server = _Server((host, port), _handler(chain))
        except (OSError, OverflowError) as error:
            raise StorageFailed(
                f"cannot listen on {host}:{port}: {error}",
                remedy="choose another port, or 0 for any",
                host=host,
                port=port,
            ) from error
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True,
            name="chain-rpc",
        )  # fmt: skip
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("a client of the chain's RPC went away", exc_info=True)


def _handler(chain: Chain) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_TIMEOUT_S
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            host, _, port = (self.headers.get("Host") or "").rpartition(":")
            if not is_loopback(host if port.isdecimal() else f"{host}:{port}".strip(":")):
                return self._refuse(403, "the Host header names no loopback address")
            kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
            if kind != "application/json":
                return self._refuse(415, "the content type must be application/json")
            length = self.headers.get("Content-Length") or ""
            if not length.isdecimal():
                return self._refuse(411, "a Content-Length is needed")
            if len(length) > 12 or int(length) > MAX_BODY_BYTES:
                return self._refuse(413, f"a request has at most {MAX_BODY_BYTES} bytes")
            body = self.rfile.read(int(length))
            if len(body) < int(length):  # the client went away
                self.close_connection = True
                return None
            return self._send(200, answer_bytes(chain, body), "application/json")

        def _refuse(self, status: int, why: str) -> None:
            self.close_connection = True  # the body was not read
            self._send(status, f"{why}\n".encode(), "text/plain; charset=utf-8")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            _log.debug(format, *args)

    return Handler
