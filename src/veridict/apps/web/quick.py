"""uvicorn's HTTP, with a short way for the one route that is asked thousands of times a second.

    a statement alone    parsed by uvicorn → gate → ingest → one write; no scope, task or messages
    and after that       a head that is byte for byte one that passed needs neither parser nor gate
    all else             uvicorn's own way into the application

What the gate refuses, what comes in chunks, closes, or does not wait for the answer before takes
uvicorn's way too. So the short one need only know how to answer, and says what `routes.statements`
would.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from veridict.apps.web.app import WebApp
from veridict.apps.web.replies import failure_reply
from veridict.apps.web.routes.statements import JSON, PATH, is_lines, told
from veridict.apps.web.security import Header, answer_headers
from veridict.ledger.waiting import LoopDesk
from veridict.services.statements import Logged, read_statement

_PATH, _LENGTH, _CHUNKS = PATH.encode(), b"content-length", b"transfer-encoding"
_END = b"\r\n\r\n"
_MAX_HEADS, _MAX_HEAD_BYTES = 4096, 1024  # remembered; a head is the same for bodies of one length

_LOOK_AGAIN_S = 1.0  # for a line whose answer is not there yet


class QuickHttp(HttpToolsProtocol):
    """One connection to a `WebApp`: for `uvicorn.Config(http=...)`."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        app = cast(WebApp, self.config.app)
        self._gate, self._ingest, self._heads = app.gate, app.ingest, app.heads
        self._desk = LoopDesk(self.loop)
        self._turn: Turn | None = None  # whose body is coming in
        self._last: Turn | None = None  # whose body came last, if it was the last that came at all
        self._begun = 0  # messages
        self._between = True  # messages: the last one is whole
        self._answered_s = 0.0

    def data_received(self, data: bytes) -> None:
        end = data.find(_END) + len(_END)
        head, length = data[:end], len(data) - end
        fresh = self._between and self._is_free()
        if fresh and self._heads.get(head) == length:
            self._take(self._begin(), data[end:])
            return
        begun = self._begun
        super().data_received(data)
        # the one message in `data`, whole, went the short way: its like may go the shortest
        if fresh and self._begun == begun + 1 and self._last and len(self._last.body) == length:
            self._remember(head, length)

    def on_message_begin(self) -> None:
        self._begun, self._between, self._last = self._begun + 1, False, None
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.url == _PATH and self._may_be_short():
            self._turn = self._begin()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._turn is None:
            super().on_body(body)
        else:
            self._turn.body += body

    def on_message_complete(self) -> None:
        self._between = True
        turn = self._last = self._turn
        self._turn = None
        if turn is None:
            super().on_message_complete()
        else:
            self._take(turn, turn.body)

    def timeout_keep_alive_handler(self) -> None:
        """The timer is not set anew for each answer; it looks when it rings whether it is time."""
        left = self._answered_s + self.timeout_keep_alive - self.loop.time()
        if left > 0 or not self._is_free():
            again = left if left > 0 else _LOOK_AGAIN_S
            ring = self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(again, ring)
        else:
            super().timeout_keep_alive_handler()

    def _begin(self) -> Turn:
        turn = Turn(self)
        self.cycle = cast(RequestResponseCycle, turn)
        return turn

    def _take(self, turn: Turn, body: bytes) -> None:
        assert self._ingest is not None, "else no turn is begun"
        try:
            self._ingest.submit_to(read_statement(body), turn, self._desk)
        except Exception as error:
            turn.set_exception(error)

    def answer(self, turn: Turn, status: int, headers: bytes, body: bytes) -> None:
        """Writes the answer to `turn`; the connection goes on to what came meanwhile."""
        turn.response_complete = True
        if turn.disconnected or self.transport.is_closing():
            return
        usual = rendered(self.server_state.default_headers)
        end = b"" if turn.keep_alive else b"connection: close\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], usual, headers, end, b"\r\n", body)))
        if not turn.keep_alive:
            self.transport.close()
        if self.timeout_keep_alive_task is None or self.pipeline:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
        self._answered_s = self.loop.time()

    def _is_free(self) -> bool:
        """Whether nothing waits for its answer on this connection."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
        )

    def _may_be_short(self) -> bool:
        parser = self.parser
        return (
            self._ingest is not None
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and self._is_free()
            and self.limit_concurrency is None
            and self._is_admitted()
        )

    def _is_admitted(self) -> bool:
        names = [name for name, _ in self.headers]
        return (
            names.count(_LENGTH) == 1
            and _CHUNKS not in names
            and not is_lines(self.headers)
            and self._gate.refusal("POST", PATH, self.headers) is None
        )

    def _remember(self, head: bytes, length: int) -> None:
        if len(head) <= _MAX_HEAD_BYTES:
            if len(self._heads) >= _MAX_HEADS:
                self._heads.clear()
            self._heads[head] = length


def rendered(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%s: %s\r\n" % pair for pair in headers])


_JSON_HEADERS = rendered(answer_headers(PATH, [(b"content-type", JSON.encode())]))


class Turn:
    """One statement on its way. uvicorn takes it for a cycle, and asks only what stands here."""

    __slots__ = ("_line", "body", "disconnected", "keep_alive", "response_complete")

    def __init__(self, line: QuickHttp) -> None:
        self._line = line
        self.body = b""
        self.keep_alive = True
        self.response_complete = self.disconnected = False

    @property
    def message_event(self) -> _Nobody:
        return _NOBODY

    # -- as the waiter of `services.ingest` --------------------------------------------------

    def done(self) -> bool:
        return self.disconnected

    def set_result(self, logged: Logged, /) -> None:
        status, reply = told(logged)
        length = b"content-length: %d\r\n" % len(reply)
        self._line.answer(self, status, _JSON_HEADERS + length, reply)

    def set_exception(self, error: Exception, /) -> None:
        reply = failure_reply(error, "POST", PATH)
        headers = rendered(answer_headers(PATH, reply.raw_headers))
        self._line.answer(self, reply.status_code, headers, bytes(reply.body))


class _Nobody:
    """Nobody waits for what uvicorn tells a cycle."""

    def set(self) -> None:
        return


_NOBODY = _Nobody()
