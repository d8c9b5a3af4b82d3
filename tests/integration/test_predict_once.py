"""`POST /api/predictions` on a whole node: an id is decided once, whoever asks how often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import numpy as np
import pytest

from tests.support import asgi
from tests.support.models import random_linear
from tests.support.small_pack import card_of
from veridict.apps.settings import Settings
from veridict.apps.web.app import create_app
from veridict.apps.wire import open_node
from veridict.core.codec import canonical_json
from veridict.core.nouns import Request
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.working import WorkingModel
from veridict.services import acting
from veridict.services.ingest import Ingest
from veridict.services.node import Node
from veridict.services.statements import read_statement
from veridict.services.window import Window

TOKEN = "a-token-of-some-length"
PATH = "/api/predictions"


@dataclass(frozen=True, slots=True)
class Site:
    node: Node
    client: httpx.Client
    width: int

    def row(self, value: float) -> list[float | None]:
        return [value, None, *[0.5] * (self.width - 2)]

    def ask(self, **rows: float) -> httpx.Response:
        body = {"ids": list(rows), "rows": [self.row(value) for value in rows.values()]}
        return self.client.post(PATH, json=body)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    model = CanonicalModel.from_parts(random_linear(3))
    annex = Annex(model.id, ())
    with open_node(Settings(tmp_path_factory.mktemp("home"))) as node:
        node.register(WorkingModel(model, annex), card_of(model, annex))
        client = asgi.client(create_app(Window(node), token=TOKEN))
        client.headers["authorization"] = f"Bearer {TOKEN}"
        yield Site(node, client, model.n_features)


def test_asked_again_the_answer_is_the_same(site: Site) -> None:
    first = site.ask(a=1.0, b=2.0)
    size = site.node.log.size
    again = site.ask(b=2.0, a=1.0)
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()[::-1]
    assert site.node.log.size == size


def test_new_ones_beside_known_ones_are_decided(site: Site) -> None:
    (known,) = site.ask(c=1.0).json()
    size = site.node.log.size
    rows = site.ask(d=5.0, c=1.0, e=6.0).json()
    assert [row["request_id"] for row in rows] == ["d", "c", "e"]
    assert [row["index"] for row in rows] == [size, known["index"], size + 1]


def test_other_features_under_the_same_id_conflict_and_nothing_is_decided(site: Site) -> None:
    (known,) = site.ask(f=1.0).json()
    size = site.node.log.size
    reply = site.ask(fresh=1.0, f=1.5)
    assert (reply.status_code, reply.json()["error"]) == (409, "refused")
    assert reply.json()["facts"]["index"] == known["index"]
    twice = {"ids": ["g", "g"], "rows": [site.row(1.0), site.row(2.0)]}
    assert site.client.post(PATH, json=twice).status_code == 409
    assert site.node.log.size == size


def test_an_id_twice_in_one_call_is_decided_once(site: Site) -> None:
    twice = {"ids": ["h", "h"], "rows": [site.row(1.0), site.row(1.0)]}
    rows = site.client.post(PATH, json=twice).json()
    assert rows[0] == rows[1]
    assert site.node.log.find_request("h") == site.node.log.size - 1


def test_many_who_ask_at_once_get_one_decision(site: Site) -> None:
    size = site.node.log.size
    with ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(site.ask, busy=3.0) for _ in range(16)]
    assert {reply.result().json()[0]["index"] for reply in replies} == {size}
    assert site.node.log.size == size + 1


def test_an_id_that_a_statement_has_is_taken(site: Site) -> None:
    with Ingest(site.node.log, site.node.parts.clock) as ingest:
        ingest.submit(read_statement(b'{"id": "said"}')).result()
    assert site.ask(said=1.0).status_code == 409


def test_what_was_erased_is_decided_anew(site: Site) -> None:
    (first,) = site.ask(gone=1.0).json()
    acting.erase(site.node, "gone", ground="request", by="officer", note="")
    (anew,) = site.ask(gone=7.0).json()
    assert anew["index"] > first["index"]


def test_a_payment_of_the_stream_is_known_by_its_id(site: Site) -> None:
    request = Request("from the stream", "ann", 0, canonical_json({"id": "from the stream"}))
    (made,) = site.node.predict(np.array([site.row(2.0)], np.float64), [request])
    (row,) = site.client.post(
        PATH, json={"ids": ["from the stream"], "rows": [site.row(2.0)]}
    ).json()
    assert row["index"] == made.index


@pytest.mark.parametrize("rows", [[[1.0]], [[1.0], [1.0, 2.0]], [[]], [[1.0] * 99]])
def test_rows_of_another_shape_are_refused(site: Site, rows: list[list[float]]) -> None:
    size = site.node.log.size
    ids = [f"shape {at}" for at in range(len(rows))]
    reply = site.client.post(PATH, json={"ids": ids, "rows": rows})
    assert (reply.status_code, reply.json()["error"]) == (400, "input.bad")
    assert site.node.log.size == size
