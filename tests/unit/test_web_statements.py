"""POST /api/statements: its answers, its limits, and the gate in front of it.

Everything is asked twice: over a socket, where single statements are answered the short way
(`web.quick`), and of the application itself, which answers the long way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import asgi
from tests.support.ledger import make_signer, make_vault
from tests.support.small_node import SmallNode
from veridict.apps.web.app import WebApp, create_app
from veridict.apps.web.routes.statements import MAX_LINES
from veridict.apps.web.server import WebServer
from veridict.ledger.log import Log
from veridict.services import ingest as ingesting
from veridict.services.ingest import Ingest

TOKEN = "a-token-of-some-length"
PATH = "/api/statements"
BODY = b'{"id": "p-1", "subject": "account-7", "score": 0.25}'


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as log:
        yield log


@pytest.fixture(params=["short", "long"])
def client(request: pytest.FixtureRequest, log: Log) -> Iterator[httpx.Client]:
    with (
        Ingest(log, lambda: 1_700_000_000_000) as ingest,
        _served(create_app(SmallNode(), token=TOKEN, ingest=ingest), request.param) as client,
    ):
        client.headers["authorization"] = f"Bearer {TOKEN}"
        yield client


@contextmanager
def _served(app: WebApp, way: str) -> Iterator[httpx.Client]:
    if way == "long":
        yield asgi.client(app)
        return
    with WebServer(app) as server, httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


def test_a_statement_is_logged_and_its_receipt_returned(client: httpx.Client, log: Log) -> None:
    reply = client.post(PATH, content=BODY)
    assert reply.status_code == 201
    receipt = reply.json()
    assert {k: receipt[k] for k in ("id", "index", "time_ms", "again")} == {
        "id": "p-1", "index": 0, "time_ms": 1_700_000_000_000, "again": False,
    }  # fmt: skip
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    again = client.post(PATH, content=BODY)
    assert (again.status_code, again.json()) == (200, {**receipt, "again": True})
    assert log.size == 1


def test_other_bytes_under_the_same_id_conflict(client: httpx.Client) -> None:
    client.post(PATH, content=BODY)
    reply = client.post(PATH, content=BODY.replace(b"0.25", b"0.26"))
    assert (reply.status_code, reply.json()["error"]) == (409, "refused")
    assert reply.json()["facts"]["index"] == 0


def test_many_in_one_request_are_answered_one_by_one(client: httpx.Client, log: Log) -> None:
    lines = [BODY, b'{"id": ""}', BODY, BODY.replace(b"0.25", b"0.26"), b'{"id": "p-2"}']
    kind = {"content-type": "application/x-ndjson"}
    reply = client.post(PATH, content=b"\n".join(lines) + b"\n", headers=kind)
    assert reply.status_code == 200
    answers = [json.loads(line) for line in reply.text.splitlines()]
    assert [a.get("error") for a in answers] == [None, "input.bad", None, "refused", None]
    assert [answers[at]["index"] for at in (0, 2)] == [0, 0]
    assert log.size == 2
    for wrong in (b"\n\n", b"\n".join([b"{}"] * (MAX_LINES + 1))):
        assert client.post(PATH, content=wrong, headers=kind).status_code == 400


def test_the_gate_stands_before_it(client: httpx.Client, log: Log) -> None:
    for headers, status in (
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 403),
        ({"host": "evil.example"}, 421),
        ({"sec-fetch-site": "cross-site"}, 403),
    ):
        assert client.post(PATH, content=BODY, headers=headers).status_code == status
    assert client.post(PATH, content=b"x" * (1 << 20) + b"x").status_code == 413
    assert client.post(PATH, content=b"x").status_code == 400
    assert client.get(PATH).status_code == 404
    assert log.size == 0


def test_where_too_many_wait_the_caller_is_told_when_to_come_again(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "MAX_WAITING", 0)
    reply = client.post(PATH, content=BODY)
    assert (reply.status_code, reply.json()["error"]) == (503, "node.busy")
    assert reply.headers["retry-after"] == "1"


@pytest.mark.parametrize("way", ["short", "long"])
def test_what_nobody_foresaw_is_told_without_its_words(log: Log, way: str) -> None:
    class Broken(Ingest):
        def submit_to(self, statement: object, waiter: object, desk: object) -> None:
            raise RuntimeError("a secret")

    with (
        Broken(log, lambda: 0) as ingest,
        _served(create_app(SmallNode(), token=TOKEN, ingest=ingest), way) as client,
    ):
        reply = client.post(PATH, content=BODY, headers={"authorization": f"Bearer {TOKEN}"})
    assert (reply.status_code, reply.json()["error"]) == (500, "veridict.error")
    assert "secret" not in reply.text


def test_the_route_is_described(client: httpx.Client) -> None:
    route = client.get("/openapi.json").json()["paths"][PATH]["post"]
    assert set(route["responses"]) >= {"200", "201", "409", "503"}
    receipt = route["responses"]["201"]["content"]["application/json"]["schema"]
    assert set(receipt["properties"]) == set(client.post(PATH, content=BODY).json())
    assert "id" in route["requestBody"]["content"]["application/json"]["schema"]["required"]


def test_a_node_that_takes_none_has_no_such_route(log: Log) -> None:
    client = asgi.client(create_app(SmallNode(), token=TOKEN))
    reply = client.post(PATH, content=BODY, headers={"authorization": f"Bearer {TOKEN}"})
    assert reply.status_code in (404, 405)
