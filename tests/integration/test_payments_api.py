"""Payments asked about over HTTP: one decision each, whoever asks how often, and nothing silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.feeds import decided_ids, paid
from tests.support.messages import UETR, message
from tests.support.messages import payment as lines
from tests.support.told import payments, told_copy
from veridict.apps.serving import Serving, serving
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.errors import Busy, StorageFailed
from veridict.services.feeding.records import FeedRecord
from veridict.services.records import decode
from veridict.watch.feeds.base import Outcome
from veridict.watch.feeds.posted import PostedFeed

LISTED = "0x01e2919679362dfBC9ee1644Ba9C6da6D6245BB1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = told_copy(tmp_path_factory.mktemp("asked") / "home")
    settings = Settings(home, token="a token of the operator")
    with (
        open_node(settings, payments()) as node,
        serving(
            node, settings, host="127.0.0.1", port=0, anchor_every_s=600, scenario=payments()
        ) as served,
    ):
        yield served


@pytest.fixture(scope="module")
def api(served: Serving) -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer a token of the operator"}
    with httpx.Client(
        base_url=served.web_url, headers=headers, timeout=60, trust_env=False
    ) as client:
        yield client


def payment(id: str, **other: Any) -> dict[str, Any]:
    usual = {"time": "2023-01-01T10:00:00Z", "payer": "ann", "payee": "bob", "amount": "12.50"}
    return {"id": id, **usual, "asset": "EUR", **other}


def test_a_payment_is_answered_with_its_decision_and_again_with_the_same(
    api: httpx.Client,
) -> None:
    first = api.post("/api/payments", json=payment("q-1", payee=LISTED))
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["id"], told["decision"], told["again"]) == ("q-1", "hold", False)
    assert any("on the list" in reason for reason in told["reasons"])
    later = api.post("/api/payments", json=payment("q-1", payee=LISTED, channel="card"))
    assert later.status_code == 200
    assert later.json() == {**told, "again": True, "reasons": later.json()["reasons"]}
    other = api.post("/api/payments", json=payment("q-1", amount="99.00", payee=LISTED))
    assert other.status_code == 409
    assert other.json()["facts"]["index"] == told["index"]
    whole = api.get(f"/api/predictions/{told['index']}").json()
    shown, acted = whole["row"], whole["stages"][5]["facts"]
    assert any(fact["label"] == "listed" and "on the list" in fact["value"] for fact in acted)
    assert (shown["request_id"], shown["decision"]) == ("q-1", "hold")
    held = api.get("/api/predictions", params={"decision": "hold", "limit": 1}).json()
    assert held[0]["index"] == told["index"]


def test_many_who_ask_at_once_get_one_decision(api: httpx.Client, served: Serving) -> None:
    asked = [payment(f"m-{number % 20}") for number in range(80)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda one: api.post("/api/payments", json=one), asked))
    assert {answer.status_code for answer in answers} <= {200, 201}
    by_id: dict[str, set[int]] = {}
    for answer in answers:
        by_id.setdefault(answer.json()["id"], set()).add(answer.json()["index"])
    assert len(by_id) == 20
    assert all(len(indexes) == 1 for indexes in by_id.values())
    stands = decided_ids(served.node)
    assert all(stands[id] == 1 for id in by_id)


def test_lines_are_answered_one_by_one_also_the_bad_ones(api: httpx.Client) -> None:
    lines = [
        msgspec.json.encode(payment("l-1")),
        b'{"id": "l-2"',
        msgspec.json.encode(payment("l-3", amount="-5")),
        msgspec.json.encode(payment("l-4", time="2900-01-01T00:00:00Z")),
        msgspec.json.encode(payment("l-1", payer="eve")),
    ]
    headers = {"content-type": "application/x-ndjson"}
    answer = api.post("/api/payments", content=b"\n".join(lines), headers=headers)
    assert answer.status_code == 200
    told = [msgspec.json.decode(line) for line in answer.content.splitlines()]
    assert told[0]["decision"] in ("allow", "review", "hold")
    codes = [one["facts"].get("drop") or one["facts"].get("reason") for one in told[1:]]
    assert codes == ["message.bad", "amount.negative", "time.ahead", "contradiction"]


def test_what_was_refused_stands_in_the_log_and_is_shown(
    api: httpx.Client, served: Serving
) -> None:
    bad = api.post("/api/payments", content=b"\xff\xfe")
    assert (bad.status_code, bad.json()["facts"]["drop"]) == (400, "message.bad")
    api.post("/api/payments", json=payment("behind"))  # so that it is logged before we look
    found = api.get("/api/feeds").json()
    http = next(feed for feed in found if feed["name"] == "http")
    assert any(one["code"] == "message.bad" and one["count"] for one in http["refused"])
    records = [decode(body) for body in served.node.log.bodies() if body[:1] == b"{"]
    assert any(isinstance(one, FeedRecord) and one.feed == "http" for one in records)


def test_nobody_asks_without_the_token(api: httpx.Client) -> None:
    for given in ({"authorization": "Bearer another"}, {"authorization": ""}):
        answer = api.post("/api/payments", json=payment("no"), headers=given)
        assert answer.status_code in (401, 403)
    assert api.post("/api/payments", json=payment("x" * 600)).status_code == 400


def test_a_node_that_serves_follows_feeds_beside(tmp_path: Path) -> None:
    settings = Settings(told_copy(tmp_path / "home"), token="a token of the operator")
    (tmp_path / "in").mkdir()
    with (
        open_node(settings, payments()) as node,
        serving(
            node, settings, host="127.0.0.1", port=0, anchor_every_s=600, scenario=payments(),
            sources=["chain", str(tmp_path / "in")],
        ) as served,
    ):  # fmt: skip
        (tmp_path / "in" / "1.tmp").write_bytes(message([lines(1), lines(2, amount="-1")]))
        (tmp_path / "in" / "1.tmp").rename(tmp_path / "in" / "1.xml")
        url, told = f"{served.web_url}api/feeds", dict[str, list[Any]]()
        end = time.monotonic() + 110
        while time.monotonic() < end and not ("eip155" in told and told.get("iso20022")):
            answer = httpx.get(url, trust_env=False, timeout=30)
            assert answer.status_code == 200, answer.text
            told = {feed["name"].split(":")[0]: feed["refused"] for feed in answer.json()}
            time.sleep(0.1)
        assert told["eip155"] == []
        assert [one["code"] for one in told["iso20022"]] == ["amount.negative"]
        assert decided_ids(node)[UETR.format(1)] == 1


def test_where_too_many_wait_the_next_is_told_so() -> None:
    feed = PostedFeed(most=2)
    waiting = [feed.offer(paid(f"w-{number}")) for number in range(2)]
    with pytest.raises(Busy):
        feed.offer(paid("w-2"))
    items = feed.pull(1, 0.0)
    late = feed.offer(paid("w-2"))
    feed.told([Outcome(items[0], refused="time.ahead")])
    assert waiting[0].result(1).refused == "time.ahead"
    feed.pull(1, 0.0)
    feed.failed(StorageFailed("the disk is full", remedy="make room"))
    with pytest.raises(StorageFailed, match="full"):
        waiting[1].result(1)
    feed.close()
    with pytest.raises(StorageFailed, match="closing"):
        late.result(1)
    with pytest.raises(StorageFailed, match="closing"):
        feed.offer(paid("w-4"))


def test_who_goes_away_harms_nobody() -> None:
    feed = PostedFeed()
    gone, stays = feed.offer(paid("g-1")), feed.offer(paid("g-2"))
    gone.cancel()
    told: list[str | None] = []
    waiter = threading.Thread(target=lambda: told.append(stays.result(5).refused))
    waiter.start()
    items = feed.pull(5, 0.0)
    feed.told([Outcome(item, refused="flood") for item in items])
    waiter.join()
    assert told == ["flood"]


def test_a_home_whose_scenario_is_no_payments_takes_none(tmp_path: Path) -> None:
    settings = Settings(told_copy(tmp_path / "home"), token="a token of the operator")
    headers = {"authorization": "Bearer a token of the operator"}
    with (
        open_node(settings) as node,
        serving(node, settings, host="127.0.0.1", port=0, anchor_every_s=600) as served,
    ):
        url = f"{served.web_url}api/payments"
        answer = httpx.post(url, json=payment("p"), headers=headers, trust_env=False)
    assert answer.status_code in (404, 405)
