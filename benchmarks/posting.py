"""Many clients on one node over HTTP: each waits for its answer before it sends the next.

    python -m benchmarks.posting URL TOKEN CLIENTS REQUESTS LINES

A process of its own, so that the node's figure is not the client's. With LINES above 1 a
request carries so many statements. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

BODY_BYTES = 400
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Load:
    """What is still to be sent, and what came back."""

    left: int
    lines: int
    head: bytes
    done: asyncio.Future[None]
    open: int = 0
    refused: int = 0
    number: int = 0
    seconds: list[float] = field(default_factory=list)
    run: bytes = field(default_factory=lambda: os.urandom(6).hex().encode())

    def request(self) -> bytes:
        self.left -= 1
        body = b"\n".join(self._statement() for _ in range(self.lines))
        return b"%s%d%s%s" % (self.head, len(body), _END, body)

    def _statement(self) -> bytes:
        self.number += 1
        name = b"%s-%d" % (self.run, self.number)
        start = b'{"id":"%s","subject":"account-%d","note":"' % (name, self.number % 5000)
        return start + b"x" * (BODY_BYTES - len(start) - 2) + b'"}'


class Client(asyncio.Protocol):
    """One connection, kept alive, one request at a time."""

    def __init__(self, load: Load) -> None:
        self._load, self._seen = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        data = self._seen = self._seen + data
        head = data.find(_END)
        if head < 0:
            return
        at = data.find(_LENGTH) + len(_LENGTH)
        if len(data) < head + len(_END) + int(data[at : data.find(b"\r", at)]):
            return
        self._seen = b""
        self._load.seconds.append(time.perf_counter() - self._sent)
        self._load.refused += data[9:11] != b"20" or b'"error"' in data
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.open -= 1
        if not self._load.open and not self._load.done.done():
            self._load.done.set_result(None)

    def _send(self) -> None:
        if self._load.left <= 0:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._load.request())


async def post(url: str, token: str, clients: int, requests: int, lines: int) -> dict[str, float]:
    """Statements a second, and the half and the hundredth longest answer in ms."""
    place = urlsplit(url)
    kind = "application/x-ndjson" if lines > 1 else "application/json"
    head = (
        f"POST /api/statements HTTP/1.1\r\nhost: {place.netloc}\r\n"
        f"authorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: "
    ).encode()
    loop = asyncio.get_running_loop()
    load = Load(requests, lines, head, loop.create_future())
    began = time.perf_counter()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: Client(load), place.hostname or "", place.port or 80)
            for _ in range(clients)
        )
    )
    await load.done
    per_s = requests * lines / (time.perf_counter() - began)
    times = sorted(load.seconds)
    if load.refused or len(times) != requests:
        raise RuntimeError(f"{load.refused} of {len(times)} answers were refusals")
    return {
        "per_s": per_s,
        "median_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "cpu_us": time.process_time() / (requests * lines) * 1e6,
    }


def main() -> None:
    url, token, *numbers = sys.argv[1:]
    clients, requests, lines = map(int, numbers)
    print(json.dumps(uvloop.run(post(url, token, clients, requests, lines))))


if __name__ == "__main__":
    main()
