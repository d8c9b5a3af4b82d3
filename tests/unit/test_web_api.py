"""The API over a small true node: what it answers, and how it says no."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.support import asgi
from tests.support.small_node import SmallNode
from veridict.apps.remote import erase_there
from veridict.apps.running import Running
from veridict.apps.settings import Settings
from veridict.apps.web.app import create_app
from veridict.apps.web.security import MAX_BODY_BYTES
from veridict.apps.web.server import WebServer
from veridict.core.errors import (
    BadInput,
    BadStream,
    EvidenceError,
    NotFound,
    Refused,
    RpcUnavailable,
    StorageFailed,
    VeridictError,
)
from veridict.services.views import StatusView

TOKEN = "a-token-of-some-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def node() -> SmallNode:
    node = SmallNode()
    for n in range(12):
        node.add(f"pay-{n}", float(n - 6))
    return node


@pytest.fixture
def app(node: SmallNode) -> FastAPI:
    return create_app(node, token=TOKEN)


@pytest.fixture
def client(app: FastAPI) -> httpx.Client:
    return asgi.client(app)


def test_every_read_answers(client: httpx.Client) -> None:
    paths = ("status", "predictions", "predictions/3", "cases", "model", "plots", "audit")
    for path in paths:
        reply = client.get(f"/api/{path}")
        assert reply.status_code == 200, path
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "no-store"
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/api/checkpoint").text.startswith("small.example/log\n12\n")
    assert 'veridict_predictions_total{decision="hold"} 5' in client.get("/metrics").text


def test_predictions_come_newest_first_and_by_page(client: httpx.Client) -> None:
    def indices(query: str) -> list[int]:
        return [row["index"] for row in client.get(f"/api/predictions?{query}").json()]

    assert indices("limit=3") == [11, 10, 9]
    assert indices("limit=2&before=9") == [8, 7]
    assert indices("decision=review&limit=9") == [6, 5]


@pytest.mark.parametrize(
    "path",
    [
        "predictions?limit=0", "predictions?limit=501", "predictions?before=-1",
        "predictions?decision=maybe", "predictions/-1", "predictions/x",
        f"predictions/{2**63}", "cases?status=lost",
    ],
)  # fmt: skip
def test_bad_parameters_are_named(client: httpx.Client, path: str) -> None:
    reply = client.get(f"/api/{path}")
    assert reply.status_code == 400
    assert reply.json()["error"] == "input.bad"
    assert reply.json()["remedy"]


def test_a_receipt_is_a_file_once_anchored(client: httpx.Client, node: SmallNode) -> None:
    assert client.get("/api/predictions/3/receipt").status_code == 409
    node.anchor()
    reply = client.get("/api/predictions/3/receipt")
    assert reply.json()["request"] == "pay-3"
    assert 'filename="veridict-receipt-3.json"' in reply.headers["content-disposition"]


def test_new_predictions_are_made(client: httpx.Client, node: SmallNode) -> None:
    body = {"ids": ["a", "b"], "rows": [[5.0, None], [-5.0, 1.0]]}
    made = client.post("/api/predictions", json=body, headers=BEARER).json()
    assert [(row["request_id"], row["decision"]) for row in made] == [("a", "hold"), ("b", "allow")]
    assert node.predictions(before=None, limit=1, decision=None)[0].request_id == "b"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'{"ids": ["a"]}', b'{"ids": ["a"], "rows": []}',
        b'{"ids": [], "rows": []}', b'{"ids": ["a"], "rows": [["x"]]}',
        b'{"ids": ["a"], "rows": [[NaN]]}', b'{"ids": [1], "rows": [[1.0]]}',
        b'{"ids": ["a"], "rows": [[1.0]], "more": 1}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_bad_bodies_are_refused(client: httpx.Client, node: SmallNode, body: bytes) -> None:
    reply = client.post("/api/predictions", content=body, headers=BEARER)
    assert (reply.status_code, reply.json()["error"]) == (400, "input.bad")
    assert node.status().predictions == 12


def test_a_case_is_decided_once(client: httpx.Client) -> None:
    act = {"by": "Ada", "note": "spoke to the customer"}
    done = client.post("/api/cases/11/release", json=act, headers=BEARER)
    assert (done.status_code, done.json()["by"]) == (200, "Ada")
    assert client.post("/api/cases/11/confirm", json=act, headers=BEARER).status_code == 409
    assert client.post("/api/cases/0/release", json=act, headers=BEARER).status_code == 404
    assert client.post("/api/cases/11/burn", json=act, headers=BEARER).status_code == 400
    released = client.get("/api/cases?status=released").json()
    assert [case["acts"][0]["note"] for case in released] == ["spoke to the customer"]


@pytest.mark.parametrize(
    "act", [{}, {"by": ""}, {"by": "x" * 81}, {"by": "Ada", "note": "x" * 501}, {"by": 7}]
)
def test_an_act_needs_a_name(client: httpx.Client, node: SmallNode, act: dict[str, Any]) -> None:
    reply = client.post("/api/cases/11/release", json=act, headers=BEARER)
    assert reply.status_code == 400
    assert node.cases(status="released", limit=9) == []


class FailingNode(SmallNode):
    """A small node whose status meets `error`."""

    error: Exception = RuntimeError("the secret of line 7")

    def status(self) -> StatusView:
        raise self.error


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (BadInput, 400), (NotFound, 404), (Refused, 409), (BadStream, 422),
        (RpcUnavailable, 503), (StorageFailed, 507), (EvidenceError, 409),
    ],
)  # fmt: skip
def test_each_error_has_its_status(kind: type[VeridictError], status: int) -> None:
    node = FailingNode()
    node.error = kind("it is so", remedy="do this", size=3)
    client = asgi.client(create_app(node, token=TOKEN))
    reply = client.get("/api/status")
    assert reply.status_code == status
    assert reply.json() == node.error.as_dict()


def test_an_unforeseen_error_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    client = asgi.client(create_app(FailingNode(), token=TOKEN))
    with caplog.at_level(logging.ERROR):
        reply = client.get("/api/status")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
    assert "secret of line 7" in caplog.text


def test_unknown_paths_and_methods_answer_in_the_same_shape(client: httpx.Client) -> None:
    assert client.get("/api/nothing").json()["error"] == "not-found"
    reply = client.delete("/api/status", headers=BEARER)
    assert (reply.status_code, reply.json()["error"]) == (405, "input.bad")


def test_only_one_audit_runs_at_a_time(app: FastAPI, client: httpx.Client) -> None:
    with app.state.audit_running:
        assert client.get("/api/audit").status_code == 409
    assert client.get("/api/audit").status_code == 200


def test_the_body_limit_is_the_one_told(client: httpx.Client) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    reply = client.post("/api/predictions", content=body, headers=BEARER)
    assert (reply.status_code, reply.json()["facts"]) == (413, {"limit": MAX_BODY_BYTES})


def test_the_schema_is_served_and_no_page_from_elsewhere(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "/api/cases/{index}/{act}" in paths
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_records_are_found_by_what_is_asked(client: httpx.Client) -> None:
    def found(**asked: str | int | bool) -> list[int]:
        return [row["index"] for row in client.get("/api/find", params=asked).json()]

    assert found(request="pay-3") == [3]
    assert found(subject="nobody") == []
    assert found(sequence_from=2, sequence_to=4) == [2, 3, 4]
    assert found(start=8, newest=True, limit=2) == [11, 10]
    for wrong in ({"record": "ab"}, {"model": "no"}, {"limit": 0}, {"from_ms": -1}):
        assert client.get("/api/find", params=wrong).status_code == 400
    swapped = client.get("/api/find", params={"from_ms": 2, "to_ms": 1})
    assert swapped.status_code == 400
    assert swapped.json()["remedy"] == "swap the two ends"


def test_a_subject_is_erased_with_the_token_only(client: httpx.Client) -> None:
    body = {"subject": "account 1", "by": "officer", "ground": "consent"}
    assert client.post("/api/erasures", json=body).status_code == 401
    (done,) = client.post("/api/erasures", json=body, headers=BEARER).json()
    assert (done["count"], done["index"]) == (12, 90_001)
    assert client.get("/api/predictions/3").json()["row"]["summary"] == "erased"
    assert client.post("/api/erasures", json=body, headers=BEARER).status_code == 404
    for wrong in ({"by": "x"}, {**body, "by": ""}, {**body, "ground": "whim"}, {**body, "more": 1}):
        assert client.post("/api/erasures", json=wrong, headers=BEARER).status_code == 400


def test_another_process_has_a_running_node_erase(node: SmallNode) -> None:
    settings = Settings(Path("unused"), token=TOKEN)
    with WebServer(create_app(node, token=TOKEN)) as server:
        running = Running(0, server.url, "")
        (done,) = erase_there(running, settings, "account 1", ground="order", by="court", note="")
        assert done.count == 12
        with pytest.raises(Refused, match="nothing is kept"):
            erase_there(running, settings, "account 1", ground="order", by="court", note="")
