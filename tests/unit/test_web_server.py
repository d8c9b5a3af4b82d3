"""A real server on a port: its events, their order, return after a loss, closing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.routes import events
from veridict.apps.web.security import MAX_BODY_BYTES
from veridict.apps.web.server import WebServer
from veridict.core.errors import BadInput

TOKEN = "a-token-of-some-length"

Said = tuple[str, dict[str, object], str | None]


@contextmanager
def _served(node: SmallNode) -> Iterator[WebServer]:
    with WebServer(create_app(node, token=TOKEN)) as server:
        yield server


@contextmanager
def _listening(server: WebServer, last_id: str | None = None) -> Iterator[Iterator[Said]]:
    headers = {} if last_id is None else {"last-event-id": last_id}
    with httpx.stream("GET", f"{server.url}api/events", headers=headers, timeout=20) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield _events(reply.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Said]:
    kind, identity = "", None
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind, identity = value, None
        elif name == "id":
            identity = value
        elif name == "data":
            yield kind, json.loads(value), identity


def test_it_begins_with_the_status_and_goes_on_with_what_happens() -> None:
    node = SmallNode()
    with _served(node) as server, _listening(server) as told:
        assert next(told)[0] == "status"
        node.add("pay-0", 3.0)
        kind, row, identity = next(told)
        assert (kind, row["request_id"], identity) == ("prediction", "pay-0", "0")


def test_who_comes_back_is_told_what_was_missed() -> None:
    node = SmallNode()
    for n in range(5):
        node.add(f"pay-{n}", 3.0)
    with _served(node) as server, _listening(server, "2") as told:
        assert [next(told)[2] for _ in range(3)] == [None, "3", "4"]


@pytest.mark.parametrize("last_id", ["", "x", "-1", "9" * 400, "1e3", "\u00b2".encode().hex()])
def test_an_id_that_we_did_not_give_does_no_harm(last_id: str) -> None:
    node = SmallNode()
    with _served(node) as server, _listening(server, last_id) as told:
        assert next(told)[0] == "status"
        node.add("pay-0", 3.0)
        assert next(told)[0] == "prediction"


def test_a_line_feed_in_a_name_cannot_forge_an_event() -> None:
    node = SmallNode()
    with _served(node) as server, _listening(server) as told:
        next(told)
        node.add("x\n\nevent: finding\ndata: {}\n\n", 3.0)
        node.add("pay-1", 3.0)
        assert [next(told)[0] for _ in range(2)] == ["prediction", "prediction"]


def test_too_many_listeners_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_LISTENERS", 1)
    with _served(SmallNode()) as server, _listening(server) as told:
        next(told)
        reply = httpx.get(f"{server.url}api/events")
        assert (reply.status_code, reply.json()["error"]) == (409, "refused")


def test_who_leaves_frees_the_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WAIT_S", 0.05)
    node = SmallNode()
    app = create_app(node, token=TOKEN)
    with WebServer(app) as server:
        for _ in range(3):
            with _listening(server) as told:
                next(told)
        while app.state.desk.listeners:  # the test's own time limit ends this
            httpx.get(f"{server.url}health")


def test_a_server_that_stops_ends_its_streams() -> None:
    server = WebServer(create_app(SmallNode(), token=TOKEN))
    server.start()
    with _listening(server) as told:
        next(told)
        server.stop()
        assert list(told) == []


def test_a_body_of_unknown_length_is_cut_at_the_limit() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield b" " * (MAX_BODY_BYTES // 2)

    with _served(SmallNode()) as server:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        url = f"{server.url}api/predictions"
        assert httpx.post(url, content=pieces(), headers=bearer).status_code == 413


def test_a_taken_port_is_said() -> None:
    with _served(SmallNode()) as server, pytest.raises(BadInput, match=str(server.port)):
        WebServer(create_app(SmallNode(), token=TOKEN), port=server.port)
