"""Bodies of `POST /api/statements`: whatever comes is logged as it came, or refused by name.

Over a socket, so that both ways are tried: `web.quick` for one, the framework's for many. The
heads before them are damaged in `tests/unit/test_web_quick.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import make_signer, make_vault
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.server import WebServer
from veridict.core.codec import TAG_SAID, commit
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.services.ingest import Ingest
from veridict.services.records import StatementRecord, decode

TOKEN = "a-token-of-some-length"
PATH = "/api/statements"
LINES = {"content-type": "application/x-ndjson"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
near = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=4) | values,
        "subject": st.text(max_size=4) | values,
        "more": values,
    },
).map(lambda whole: json.dumps(whole).encode())
pieces = st.lists(
    st.sampled_from(
        [b'{"id":', b'"a"', b",", b"}", b'"subject":', b"[", b"]", b"1e999", b"\\ud800", b"\xff",
         b"\r", b" ", b"\0", b'{"id":"a"}', b"{" * 70]
    ),
    max_size=9,
).map(b"".join)  # fmt: skip
bodies = st.binary(max_size=60) | pieces | near
Site = tuple[httpx.Client, Log]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("log")
    headers = {"authorization": f"Bearer {TOKEN}"}
    with (
        Log.open(path, signer=make_signer(), vault=make_vault(path)) as log,
        Ingest(log, lambda: 1_700_000_000_000) as ingest,
        WebServer(create_app(SmallNode(), token=TOKEN, ingest=ingest)) as server,
        httpx.Client(base_url=server.url, headers=headers, timeout=20) as client,
    ):
        yield client, log
        assert check_log(log) == []
        ids = [payload.request.id for payload in log.payloads() if payload is not None]
        assert len(ids) == len(set(ids)) == log.size


def judged(log: Log, body: bytes, told: dict[str, object]) -> None:
    """A receipt opens a record of these very bytes; anything else is an error in its shape."""
    if "error" in told:
        assert {"error", "message", "remedy"} <= told.keys()
        assert told["error"] in ("input.bad", "refused")
        return
    index, salt = told["index"], bytes.fromhex(str(told["salt"]))
    assert isinstance(index, int)
    record = decode(log.body(index))
    assert isinstance(record, StatementRecord)
    assert record.said == commit(TAG_SAID, salt, body).hex()
    assert json.loads(body)["id"] == told["id"]


@settings(max_examples=120)
@given(body=bodies)
def test_one_is_logged_as_it_came_or_refused(site: Site, body: bytes) -> None:
    client, log = site
    reply = client.post(PATH, content=body)
    assert (reply.status_code in (200, 201)) == ("error" not in reply.json())
    assert reply.status_code in (200, 201, 400, 409)
    judged(log, body, reply.json())


@settings(max_examples=60)
@given(lines=st.lists(bodies, max_size=6))
def test_of_many_each_is_judged_for_itself(site: Site, lines: list[bytes]) -> None:
    client, log = site
    reply = client.post(PATH, content=b"\n".join(lines), headers=LINES)
    sent = [line for line in b"\n".join(lines).split(b"\n") if line.strip()]
    if not sent:
        assert reply.status_code == 400
        return
    assert reply.status_code == 200
    told = [json.loads(line) for line in reply.content.splitlines()]
    assert len(told) == len(sent)
    for body, one in zip(sent, told, strict=True):
        judged(log, body, one)
