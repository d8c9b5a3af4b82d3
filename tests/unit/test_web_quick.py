"""The short way of `POST /api/statements`, as a socket sees it: pieces, pipelines, ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import make_signer, make_vault
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.quick import Turn
from veridict.apps.web.security import MAX_BODY_BYTES
from veridict.apps.web.server import WebServer
from veridict.ledger.log import Log
from veridict.services.ingest import Ingest

TOKEN = "a-token-of-some-length"
NOW_MS = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Site:
    server: WebServer
    log: Log
    free: Event  # while it is not set, nothing is logged

    @contextmanager
    def line(self) -> Iterator[socket.socket]:
        with socket.create_connection((self.server.host, self.server.port), timeout=10) as line:
            yield line


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all: each test sends ids of its own."""
    path, free = tmp_path_factory.mktemp("log"), Event()
    free.set()

    def clock() -> int:
        free.wait(10)
        return NOW_MS

    with (
        Log.open(path, signer=make_signer(), vault=make_vault(path)) as log,
        Ingest(log, clock) as ingest,
        WebServer(create_app(SmallNode(), token=TOKEN, ingest=ingest)) as server,
    ):
        yield Site(server, log, free)


def said(name: str) -> bytes:
    return b'{"id": "%s"}' % name.encode()


def asked(body: bytes, *more: str, method: str = "POST", path: str = "/api/statements") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {TOKEN}",
        f"Content-Length: {len(body)}", *more,
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(line: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """The next `count` answers, and not a byte more."""
    found: list[tuple[int, dict[str, str], bytes]] = []
    with line.makefile("rb") as file:
        while len(found) < count:
            status = file.readline().split()
            headers: dict[str, str] = {}
            while (header := file.readline()) not in (b"\r\n", b""):
                name, _, value = header.decode().partition(": ")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", "0")))
            if status[1] != b"100":
                found.append((int(status[1]), headers, body))
    return found


def test_a_statement_in_pieces_is_one(site: Site) -> None:
    request = asked(said("in pieces"))
    with site.line() as line:
        for at in range(0, len(request), 7):
            line.sendall(request[at : at + 7])
        ((status, _, body),) = answers(line, 1)
    assert (status, json.loads(body)["id"]) == (201, "in pieces")


def test_both_ways_answer_with_the_same_headers(site: Site) -> None:
    with site.line() as line:
        line.sendall(asked(said("short")))
        ((_, short, _),) = answers(line, 1)
        line.sendall(asked(said("long!"), path="/api/statements?"))
        ((_, long, _),) = answers(line, 1)
    assert {**short, "date": ""} == {**long, "date": "", "content-length": short["content-length"]}


def test_what_does_not_wait_for_its_answer_is_answered_in_order(site: Site) -> None:
    names = [f"pipelined {number}" for number in range(40)]
    site.free.clear()
    with site.line() as line:
        parts = [asked(said(name)) for name in names]
        parts.insert(1, asked(b"", method="GET", path="/health"))
        parts.insert(30, asked(b"no statement"))
        line.sendall(b"".join(parts))
        site.free.set()
        found = answers(line, len(parts))
    assert [status for status, *_ in found[:3]] == [201, 200, 201]
    assert found.pop(30)[0] == 400
    found.pop(1)
    assert [json.loads(body)["id"] for _, _, body in found] == names


def test_a_line_that_is_to_be_closed_is_closed_after_its_answer(site: Site) -> None:
    with site.line() as line:
        line.sendall(asked(said("last word"), "Connection: close"))
        ((status, headers, _),) = answers(line, 1)
        assert (status, headers["connection"], line.recv(1)) == (201, "close", b"")


NO_LENGTH = asked(b"").replace(b"Content-Length: 0\r\n", b"")
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n4\r\n" + said("in chunks")[:4] + b"\r\n"
CHUNKS += b"f\r\n" + said("in chunks")[4:] + b"\r\n0\r\n\r\n"
TOO_LARGE = b"Content-Length: %d" % (MAX_BODY_BYTES + 1)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (asked(said("continued"), "Expect: 100-continue"), 201),
        (asked(said("old")).replace(b"HTTP/1.1", b"HTTP/1.0"), 201),
        (NO_LENGTH[:-2] + CHUNKS, 201),
        (NO_LENGTH, 400),
        (asked(b""), 400),
        (asked(said("x")).replace(TOKEN.encode(), b"wrong"), 403),
        (asked(b"").replace(b"Content-Length: 0", TOO_LARGE), 413),
        (asked(said("x"), "Content-Length: 3"), 400),
        (asked(said("p") + b"\n" + said("q"), "Content-Type: application/x-ndjson"), 200),
    ],
)
def test_what_is_not_plain_goes_the_long_way(site: Site, request_bytes: bytes, status: int) -> None:
    with site.line() as line:
        line.sendall(request_bytes)
        assert answers(line, 1)[0][0] == status


def test_a_token_that_passed_does_not_pass_for_another(site: Site) -> None:
    with site.line() as line:
        statuses = []
        for token in (TOKEN, "wrong", TOKEN):
            line.sendall(asked(said("tokens")).replace(TOKEN.encode(), token.encode()))
            statuses.append(answers(line, 1)[0][0])
    assert statuses == [201, 403, 200]


def test_who_went_away_is_not_missed(site: Site) -> None:
    site.free.clear()
    with site.line() as line:
        line.sendall(asked(said("gone")))
    site.free.set()
    with site.line() as line:
        line.sendall(asked(said("gone")))
        ((status, _, body),) = answers(line, 1)
    assert status in (200, 201)
    assert site.log.find_request("gone") == json.loads(body)["index"]


def test_the_server_ends_only_after_the_answer(tmp_path: Path) -> None:
    begun, free = Event(), Event()

    def clock() -> int:
        begun.set()
        free.wait(10)
        return NOW_MS

    with (
        Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as log,
        Ingest(log, clock) as ingest,
    ):
        server = WebServer(create_app(SmallNode(), token=TOKEN, ingest=ingest))
        server.start()
        with socket.create_connection((server.host, server.port), timeout=10) as line:
            line.sendall(asked(said("p-1")))
            assert begun.wait(10)
            stopping = Thread(target=server.stop)
            stopping.start()
            free.set()
            assert answers(line, 1)[0][0] == 201
            assert line.recv(1) == b""
            stopping.join()


WHOLE = asked(said("hostile"))


@settings(max_examples=150)
@given(data=st.data())
def test_hostile_requests_do_no_harm(site: Site, data: st.DataObject) -> None:
    """Cut, changed and doubled: answered or hung up on, and the next one is served."""
    request = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(request)))
        request[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    with site.line() as line:
        line.sendall(bytes(request[: data.draw(st.integers(1, len(request) or 1))]))
        line.shutdown(socket.SHUT_WR)
        reply = b""
        while chunk := line.recv(65536):
            reply += chunk
    assert reply == b"" or reply[:12] in (
        *(b"HTTP/1.1 %d" % status for status in (200, 201, 400, 401, 403, 404, 405, 409, 413, 421)),
    )
    with site.line() as line:
        line.sendall(WHOLE)
        assert answers(line, 1)[0][0] in (200, 201, 409)


def test_a_head_seen_before_is_judged_by_what_follows_it(site: Site) -> None:
    """Byte for byte the same head: with its body, with less, with more, with another's."""
    one = asked(said("seen 1"))
    with site.line() as line:
        for _ in range(2):
            line.sendall(one)
            answers(line, 1)
    with site.line() as line:
        line.sendall(asked(said("seen 2")) + asked(said("seen 3")))
        bodies = [json.loads(body)["id"] for _, _, body in answers(line, 2)]
        line.sendall(asked(said("seen 4"))[:-3])
        line.sendall(asked(said("seen 4"))[-3:] + asked(said("seen 5"))[:60])
        bodies += [json.loads(body)["id"] for _, _, body in answers(line, 1)]
        line.sendall(asked(said("seen 5"))[60:])
        bodies += [json.loads(body)["id"] for _, _, body in answers(line, 1)]
        line.sendall(b"\r\n" + asked(said("seen 6")))
        bodies += [json.loads(body)["id"] for _, _, body in answers(line, 1)]
        line.sendall(one[: -len(said("seen 1"))] + b"x" * len(said("seen 1")))
        ((status, _, _),) = answers(line, 1)
    assert bodies == [f"seen {number}" for number in range(2, 7)]
    assert status == 400


def test_a_line_at_rest_is_closed_and_one_at_work_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.server._server.config, "timeout_keep_alive", 0.3)
    with site.line() as line:
        for number in range(6):
            line.sendall(asked(said(f"rest {number}")))
            answers(line, 1)
            sleep(0.1)  # together longer than a line may rest
        assert line.recv(1) == b""


def test_the_short_way_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing above would have tried it."""
    taken: list[int] = []
    tell = Turn.set_result

    def counted(turn: Turn, logged: object) -> None:
        taken.append(1)
        tell(turn, logged)  # type: ignore[arg-type]

    monkeypatch.setattr(Turn, "set_result", counted)
    with site.line() as line:
        for _ in range(3):
            line.sendall(asked(said("taken")))
            answers(line, 1)
    assert taken == [1, 1, 1]
