"""uvicorn's HTTP, with a short way for the one route that is asked thousands of times a second.

    a statement alone    parsed by uvicorn → gate → ingest → one write; no scope, task or messages
    all else             uvicorn's own way into the application

What the gate refuses, what comes in chunks, closes, or does not wait for the answer before takes
uvicorn's way too. So the short one need only know how to answer, and answers as `web.statements`.
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
from veridict.apps.web.security import MAX_BODY_BYTES, Header, answer_headers
from veridict.apps.web.statements import JSON, PATH, is_lines, told
from veridict.ledger.waiting import LoopDesk
from veridict.services.ingest import Logged, read_statement

_PATH, _LENGTH, _CHUNKS = PATH.encode(), b"content-length", b"transfer-encoding"


class QuickHttp(HttpToolsProtocol):
    """One connection to a `WebApp`: for `uvicorn.Config(http=...)`."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        app = cast(WebApp, self.config.app)
        self._gate, self._ingest = app.gate, app.ingest
        self._desk = LoopDesk(self.loop)
        self._turn: Turn | None = None  # whose body is coming in
        self._passed: list[Header] | None = None

    def on_headers_complete(self) -> None:
        if self.url == _PATH and self._may_be_short():
            self._turn = Turn(self)
            self.cycle = cast(RequestResponseCycle, self._turn)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._turn is None:
            super().on_body(body)
        else:
            self._turn.body += body

    def on_message_complete(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None or self._ingest is None:
            super().on_message_complete()
            return
        try:
            self._ingest.submit_to(read_statement(turn.body), turn, self._desk)
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
        self.on_response_complete()

    def _may_be_short(self) -> bool:
        parser = self.parser
        return (
            self._ingest is not None
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and self.limit_concurrency is None
            and self._is_admitted()
        )

    def _is_admitted(self) -> bool:
        """By the gate; headers that it admitted before on this connection need no second look."""
        length = [value for name, value in self.headers if name == _LENGTH]
        if len(length) != 1 or int(length[0]) > MAX_BODY_BYTES:
            return False
        headers = [pair for pair in self.headers if pair[0] != _LENGTH]
        if headers != self._passed:
            plain = not is_lines(headers) and all(name != _CHUNKS for name, _ in headers)
            if not plain or self._gate.refusal("POST", PATH, headers) is not None:
                return False
            self._passed = headers
        return True


def rendered(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%s: %s\r\n" % pair for pair in headers])


_JSON_HEADERS = rendered(answer_headers(PATH, [(b"content-type", JSON)]))


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
