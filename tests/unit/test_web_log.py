"""GET /log/…: the files of the log, their types and caching, and nothing beyond them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.asgi import client
from tests.support.ledger import make_entry, make_signer, make_vault
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.ledger.faces import LogFiles
from veridict.ledger.log import Log
from veridict.ledger.published import PublishedLog

SIGNER = make_signer()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path / "log", signer=SIGNER, vault=make_vault(tmp_path / "log")) as opened:
        opened.append([make_entry(str(number)) for number in range(300)])
        yield opened


@pytest.fixture
def web(log: Log) -> httpx.Client:
    return client(create_app(SmallNode(), token="t" * 16, log=LogFiles(log)))


def test_a_stranger_proves_everything_from_the_url_alone(log: Log, web: httpx.Client) -> None:
    assert web.get("/log/checkpoint").status_code == 404
    signed = log.checkpoint()
    log.append([make_entry("not covered yet")])

    def fetch(path: str) -> bytes | None:
        reply = web.get(f"/log/{path}")
        return reply.content if reply.status_code == 200 else None

    read = PublishedLog(fetch, lambda head: head.verify(SIGNER.verifier, SIGNER.name))
    assert read.signed == signed
    assert read.check() == []
    assert read.entry(299) == log.body(299)


def test_types_and_caching_are_those_of_the_text(log: Log, web: httpx.Client) -> None:
    log.checkpoint()
    head = web.get("/log/checkpoint").headers
    assert head["content-type"] == "text/plain; charset=utf-8"
    assert head["cache-control"] == "public, max-age=2"
    for path in ("tile/0/000", "tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"):
        reply = web.get(f"/log/{path}")
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(web.get("/log/tile/0/000").content) == 8192


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001", "tile/0/001.p/45", "tile/0/001.p/0", "tile/0/001.p/044", "tile/0/1",
        "tile/00/000", "tile/64/000", "tile/0/x000/000", "tile/0/002.p/1", "tile/-1/000",
        "tile/entries/001", "tile/0/000.p/256", "tile/0/000/", "tile/", "tile/0/%2e%2e/000",
        "tile/0/" + "x999/" * 6 + "999", "log.sqlite", "tile/0/٠٠٠",
    ],
)  # fmt: skip
def test_what_no_checkpoint_needs_is_not_there(log: Log, web: httpx.Client, path: str) -> None:
    log.checkpoint()
    reply = web.get(f"/log/{path}")
    assert reply.status_code == 404
    assert "immutable" not in reply.headers["cache-control"]


def test_without_a_log_there_are_no_such_routes() -> None:
    web = client(create_app(SmallNode(), token="t" * 16))
    assert web.get("/log/checkpoint").status_code == 404
