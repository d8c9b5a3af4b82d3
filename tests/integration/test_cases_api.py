"""Working on cases over HTTP: in one's own name, within one's role, and reports to hand on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import asgi
from tests.support.cases import decided, payment
from tests.support.told import opened, told_copy
from veridict.apps.staff import Staff
from veridict.apps.web.app import create_app
from veridict.chain.client import Client
from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import Decision
from veridict.services.node import Node
from veridict.services.receipt import Receipt
from veridict.services.window import Window

TOKEN = "a-token-of-some-length"
RING = ["ada", "ben", "cyd", "dov"]


@dataclass(frozen=True, slots=True)
class Desk:
    """A node with a ring of four payments and one beside it, of which `first` closes the ring."""

    node: Node
    client: httpx.Client
    tokens: dict[str, str]
    first: int
    beside: int

    def post(self, who: str, path: str, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        return self.client.post(f"/api/cases/{path}", json=body, headers=headers)

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/api/cases{path}").json()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = told_copy(tmp_path_factory.mktemp("desk") / "home")
    staff = Staff(home)
    tokens = {"Ann": staff.add("Ann", "analyst"), "Lea": staff.add("Lea", "lead"), "": TOKEN}
    with opened(home) as node:
        window = Window(node)
        app = create_app(window, token=TOKEN, work=window.casework, staff=staff)
        steps = zip(RING, RING[1:] + RING[:1], strict=True)
        made = decided(node, [payment(f"ring {a}", a, b, 7_000) for a, b in steps])
        (beside,) = decided(node, [payment("beside", "eve", "ada", 100, device="phone 7")])
        node.anchor()
        yield Desk(node, asgi.client(app), tokens, made[-1].index, beside.index)


def test_the_queue_is_in_the_order_of_expected_loss(desk: Desk) -> None:
    (small,) = decided(desk.node, [payment("small", "x", "y", 1)])
    (large,) = decided(desk.node, [payment("large", "v", "w", 10**9)])
    queue = desk.get("?status=open&order=loss&limit=500")
    losses = [case["expected_loss_minor"] for case in queue]
    assert losses == sorted(losses, reverse=True)
    assert queue[0]["row"]["index"] == large.index
    assert losses[0] == round(queue[0]["row"]["probability"] * 10**9)
    assert small.index in {case["row"]["index"] for case in queue}


def test_acts_are_by_whose_token_it_is(desk: Desk) -> None:
    path = f"{desk.beside}/note"
    assert desk.post("Ann", path, note="seen").json()["by"] == "Ann"
    refused = desk.post("Ann", path, note="seen", by="Lea")
    assert (refused.status_code, refused.json()["message"]) == (403, "this token is Ann's")
    assert desk.post("", path, note="seen", by="Somebody").json()["by"] == "Somebody"
    assert desk.post("", path, note="seen").status_code == 400  # the operator's names nobody
    assert desk.client.post(f"/api/cases/{path}", json={"note": "x"}).status_code == 401
    for body in ({"note": ""}, {"note": "x" * 2001}, {"note": "x", "more": 1}, {"note": 7}):
        assert desk.post("Ann", path, **body).status_code == 400


def test_roles_limit_what_a_token_opens(desk: Desk) -> None:
    refused = desk.post("Ann", f"{desk.beside}/export", redacted=False)
    assert (refused.status_code, refused.json()["facts"]) == (
        403, {"needed": "lead", "role": "analyst"},
    )  # fmt: skip
    assert desk.post("Ann", f"{desk.beside}/release", stop={}).status_code == 403
    assert desk.get(f"/{desk.beside}")["status"] == "open"
    headers = {"authorization": f"Bearer {desk.tokens['Lea']}"}
    body = {"subject": "eve", "by": "Lea"}
    erasing = desk.client.post("/api/erasures", json=body, headers=headers)
    assert (erasing.status_code, erasing.json()["facts"]["needed"]) == (403, "operator")


def test_the_second_of_two_is_refused_by_name(desk: Desk) -> None:
    (made,) = decided(desk.node, [payment("contested", "fay", "gus")])
    seen = desk.get(f"/{made.index}")["last"]
    assert desk.post("Ann", f"{made.index}/assign", to="Ann", seen=seen).status_code == 200
    second = desk.post("Lea", f"{made.index}/confirm", note="", seen=seen)
    assert second.status_code == 409
    assert second.json()["facts"]["by"] == "Ann"
    assert [case["row"]["index"] for case in desk.get("?assigned=Ann")] == [made.index]


def test_of_many_at_once_one_decides_and_the_others_hear_who(desk: Desk) -> None:
    (made,) = decided(desk.node, [payment("crowded", "uma", "val")])
    seen = desk.get(f"/{made.index}")["last"]

    def decide(turn: int) -> httpx.Response:
        act, who = ("release", "confirm")[turn % 2], ("Ann", "Lea")[turn % 2]
        return desk.post(who, f"{made.index}/{act}", seen=seen)

    with ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(decide, range(8)))
    (first,) = (reply.json() for reply in replies if reply.status_code == 200)
    late = [reply.json() for reply in replies if reply.status_code == 409]
    assert len(late) == 7
    assert {reply["facts"]["by"] for reply in late} == {first["by"]}
    assert len(desk.get(f"/{made.index}")["acts"]) == 1


def test_a_release_that_stops_others_is_shown_and_taken_back(desk: Desk) -> None:
    (made,) = decided(desk.node, [payment("clear me", "hal", "ida")])
    done = desk.post("Lea", f"{made.index}/release", note="rent", stop={"days": 7, "most": 3})
    at = done.json()["suppression"]
    decided(desk.node, [payment("clear me too", "hal", "ida")])
    shown = next(one for one in desk.get("/suppressions") if one["index"] == at)
    assert (shown["state"], shown["most"], len(shown["stopped"])) == ("active", 3, 1)
    assert (shown["payer"], shown["payee"], shown["by"]) == ("hal", "ida", "Lea")
    assert shown["until_ms"] - shown["since_ms"] == 7 * 86_400_000
    stopped = desk.get(f"/{shown['stopped'][0]}")
    assert (stopped["status"], stopped["stopped_by"]) == ("suppressed", at)
    assert desk.post("Ann", f"suppressions/{at}/revoke").status_code == 403
    assert desk.post("Lea", f"suppressions/{at}/revoke").json()["state"] == "revoked"
    assert desk.post("Lea", f"suppressions/{at}/revoke").status_code == 409


def test_links_tell_ring_and_group(desk: Desk) -> None:
    links = desk.get(f"/{desk.first}/links")
    assert links["ring"] == ["dov", "ada", "ben", "cyd"]
    assert desk.beside in links["cases"]
    assert {node["account"] for node in links["nodes"]} == {*RING, "eve"}
    assert {(edge["payer"], edge["payee"]) for edge in links["edges"] if edge["in_ring"]} == {
        ("ada", "ben"), ("ben", "cyd"), ("cyd", "dov"), ("dov", "ada"),
    }  # fmt: skip
    places = [(node["x"], node["y"]) for node in links["nodes"]]
    assert len(set(places)) == len(places)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)
    ties = {(tie["what"], tie["which"]): tie["cases"] for tie in links["ties"]}
    assert desk.beside in ties["account", "ada"]


def test_a_ring_is_found_through_payments_that_nobody_suspected(desk: Desk) -> None:
    quiet = [payment("quiet 1", "kim", "lou"), payment("quiet 2", "lou", "max")]
    decided(desk.node, quiet, Decision.ALLOW)
    (closing,) = decided(desk.node, [payment("closing", "max", "kim")])
    links = desk.get(f"/{closing.index}/links")
    assert links["ring"] == ["max", "kim", "lou"]
    assert [edge["status"] for edge in links["edges"] if edge["payer"] == "kim"] == ["allowed"]
    assert links["cases"] == [closing.index]


def test_a_report_tells_all_with_receipts_that_verify(desk: Desk) -> None:
    desk.post("Ann", f"{desk.first}/note", note="the ring closes within a day")
    done = desk.post("Lea", f"{desk.first}/export", redacted=False, note="for the unit").json()
    assert sha256(done["json"].encode()).hexdigest() == done["sha256"]
    report = json.loads(done["json"])
    assert report["subject"] == "dov"
    assert report["ring"] == ["dov", "ada", "ben", "cyd"]
    assert "the ring closes within a day" in " ".join(report["narrative"])
    assert {p["payment"] for p in report["transactions"]} >= {f"ring {a}" for a in RING}
    proven = [one for one in report["evidence"] if one["receipt"]]
    assert {one["index"] for one in proven} == {p["index"] for p in report["transactions"]}
    receipt = Receipt.from_json(json.dumps(proven[0]["receipt"]).encode())
    assert all(check.passed for check in receipt.verify(desk.node.network.client.rpc))
    assert isinstance(desk.node.network.client, Client)
    last = desk.get(f"/{desk.first}")["steps"][-1]
    assert (last["step"], last["by"], last["index"]) == ("export", "Lea", done["index"])
    assert "<script" not in done["page"]
    assert done["page"].count("<circle") == 5


def test_a_redacted_report_names_nobody_and_opens_nothing(desk: Desk) -> None:
    desk.post("Ann", f"{desk.first}/note", note="ada is the aunt of ben")
    done = desk.post("Ann", f"{desk.first}/export").json()
    names = re.compile(r"\b(ada|ben|cyd|dov|eve|phone 7|Ann|Lea|aunt)\b")
    for text in (done["json"], done["page"]):
        assert names.findall(text) == []
    assert json.loads(done["json"])["redacted"] is True
    assert "account 1" in done["json"]
    assert '"receipt": null' in done["json"]
    assert '"receipt": {' not in done["json"]


def test_hostile_names_stay_text_in_a_report(desk: Desk) -> None:
    evil = "<script>alert(1)</script>"
    (made,) = decided(desk.node, [payment("evil", evil, "\u202eshop")])
    page = desk.post("Lea", f"{made.index}/export", redacted=False).json()["page"]
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_unknown_cases_and_paths_are_refused(desk: Desk) -> None:
    for path in ("/0", "/999999", "/0/links"):
        assert desk.client.get(f"/api/cases{path}").status_code == 404
    assert desk.post("Ann", "0/assign", to="Ann").status_code == 404
    assert desk.post("Ann", f"{desk.first}/burn").status_code == 400
    assert desk.client.get("/api/cases?order=random").status_code == 400
    paths = desk.client.get("/openapi.json").json()["paths"]
    assert "/api/cases/{index}/export" in paths


def test_staff_come_and_go_while_the_node_runs(tmp_path: Path) -> None:
    staff = Staff(tmp_path)
    token = staff.add("Ann", "analyst")
    running = Staff(tmp_path)
    member = running.whose(token)
    assert member is not None
    assert (member.name, member.role) == ("Ann", "analyst")
    assert token not in (tmp_path / "staff.json").read_text()
    assert (tmp_path / "staff.json").stat().st_mode & 0o077 == 0
    with pytest.raises(BadInput):
        staff.add("Ann", "lead")
    staff.remove("Ann")
    assert running.whose(token) is None
    with pytest.raises(NotFound):
        staff.remove("Ann")
