"""JSON-RPC over HTTP: our server against strangers, our client against failing nodes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.support.box import RICH
from veridict.chain.client import Client
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.embedded.server import MAX_BODY_BYTES
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import BadInput, Refused, RpcUnavailable
from veridict.core.ports import Rpc

CHAIN_ID = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
RECEIVER = "0x" + "11" * 20


# -- our server ------------------------------------------------------------------


def test_it_answers_json_only_and_to_loopback_names_only(embedded: EmbeddedChain) -> None:
    url = embedded.serve()
    with httpx.Client(trust_env=False) as http:
        good = http.post(url, json=CHAIN_ID)
        assert (good.status_code, good.json()["result"]) == (200, "0x7a69")
        assert not any(name.startswith("access-control") for name in good.headers)
        assert (
            http.post(url, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
        )
        rebound = http.post(url, json=CHAIN_ID, headers={"host": "evil.example:80"})
        assert rebound.status_code == 403
        for name in ("localhost", "127.0.0.1:1", "[::1]:8545"):
            assert http.post(url, json=CHAIN_ID, headers={"host": name}).status_code == 200
        assert http.get(url).status_code == 501


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": str(MAX_BODY_BYTES + 1)}, 413),
        ({"Content-Length": "9" * 5_000}, 413),
        ({"Content-Length": "-5"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({}, 411),
    ],
)
def test_a_request_is_bounded(
    embedded: EmbeddedChain, headers: dict[str, str], status: int
) -> None:
    url = httpx.URL(embedded.serve())
    line = HTTPConnection(url.host, url.port, timeout=5)
    line.putrequest("POST", "/")
    for name, value in {"Content-Type": "application/json", **headers}.items():
        line.putheader(name, value)
    line.endheaders()
    assert line.getresponse().status == status
    line.close()
    assert httpx.post(url, json=CHAIN_ID, trust_env=False).status_code == 200


def test_a_client_that_hangs_up_disturbs_nobody(embedded: EmbeddedChain) -> None:
    url = httpx.URL(embedded.serve())
    with socket.create_connection((url.host, url.port)) as line:
        head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: 500\r\n\r\n{{".encode())
    assert httpx.post(url, json=CHAIN_ID, trust_env=False).status_code == 200


# -- our client --------------------------------------------------------------------

Reply = Callable[[BaseHTTPRequestHandler, Any], None]


def say(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def node(reply: Reply) -> Iterator[str]:
    """A node that answers as `reply` wills."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply(self, request)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def quick(url: str, **options: Any) -> HttpRpc:
    return HttpRpc(url, **{"timeout_s": 5.0, "sleep": lambda seconds: None, **options})


def test_a_reading_call_is_repeated_a_sending_one_never() -> None:
    seen: list[str] = []

    def reply(handler: BaseHTTPRequestHandler, request: Any) -> None:
        seen.append(request["method"])
        if len(seen) < 3:
            return say(handler, b"busy", 503)
        return say(handler, json.dumps({"id": request["id"], "result": "0x1"}).encode())

    with node(reply) as url, quick(url) as rpc:
        assert rpc.call("eth_chainId", []) == "0x1"
        assert seen == ["eth_chainId"] * 3
        seen.clear()
        with pytest.raises(RpcUnavailable, match="503"):
            rpc.call("eth_sendRawTransaction", ["0x"])
        assert seen == ["eth_sendRawTransaction"]


def test_repeating_ends() -> None:
    seen: list[object] = []

    def reply(handler: BaseHTTPRequestHandler, request: Any) -> None:
        seen.append(request)
        handler.close_connection = True  # hangs up without a word

    unreachable = pytest.raises(RpcUnavailable, match="cannot be reached")
    with node(reply) as url, quick(url, retries=2) as rpc, unreachable:
        rpc.call("eth_chainId", [])
    assert len(seen) == 3


def test_a_silent_node_is_given_up() -> None:
    release = threading.Event()

    def reply(handler: BaseHTTPRequestHandler, request: Any) -> None:
        release.wait(10)

    with node(reply) as url, quick(url, timeout_s=0.2, retries=1) as rpc:
        with pytest.raises(RpcUnavailable, match="does not answer in time"):
            rpc.call("eth_chainId", [])
        release.set()


@pytest.mark.parametrize(
    "answer", ["no json", "[]", "{}", '"text"', '{"id": 9, "result": 1}', '[{"id": 1}]', "null"]
)
def test_what_is_no_json_rpc_is_said(answer: str) -> None:
    with node(lambda handler, request: say(handler, answer.encode())) as url, quick(url) as rpc:
        with pytest.raises(RpcUnavailable):
            rpc.call("eth_chainId", [])
        with pytest.raises(RpcUnavailable):
            rpc.batch([("eth_chainId", []), ("eth_chainId", [])])


def test_answers_to_a_batch_may_come_in_any_order() -> None:
    def reply(handler: BaseHTTPRequestHandler, request: Any) -> None:
        answers = [{"id": each["id"], "result": each["params"][0]} for each in request]
        say(handler, json.dumps(answers[::-1]).encode())

    with node(reply) as url, quick(url) as rpc:
        assert rpc.batch([("eth_getCode", [n]) for n in range(5)]) == list(range(5))
        assert rpc.batch([]) == []


def test_a_batch_refused_as_a_whole() -> None:
    body = b'{"id": null, "error": {"code": -32600, "message": "no batches here"}}'
    refused = pytest.raises(Refused, match="no batches here")
    with node(lambda handler, request: say(handler, body)) as url, quick(url) as rpc, refused:
        rpc.batch([("eth_chainId", [])])


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8545", "ftp://host", "http://", "http://\x00", "ws://h"]
)
def test_a_url_must_be_one(url: str) -> None:
    with pytest.raises(BadInput, match="URL"):
        HttpRpc(url)


def test_a_port_where_nobody_listens() -> None:
    with node(lambda handler, request: None) as url:
        pass
    with quick(url) as rpc, pytest.raises(RpcUnavailable) as caught:
        rpc.call("eth_chainId", [])
    assert caught.value.facts["url"] == url
    assert "nothing recorded is lost" in caught.value.remedy


# -- a connection that breaks while sending ------------------------------------------


class Flaky:
    """An Rpc whose connection breaks in the chosen calls, before or after they arrive."""

    def __init__(self, rpc: Rpc, method: str, times: int, *, arrives: bool) -> None:
        self._rpc, self._method, self._left, self._arrives = rpc, method, times, arrives

    def call(self, method: str, params: Any) -> Any:
        return self.batch([(method, params)])[0]

    def batch(self, calls: Any) -> list[Any]:
        breaks = self._left > 0 and any(method == self._method for method, _ in calls)
        if breaks:
            self._left -= 1
            if self._arrives:
                self._rpc.batch(calls)
            raise RpcUnavailable("the line is cut", remedy="mend it", url="http://there")
        return self._rpc.batch(calls)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_a_transaction_is_sent_once_whether_or_not_it_arrived(
    embedded: EmbeddedChain, arrives: bool, times: int
) -> None:
    client = Client(Flaky(embedded, "eth_sendRawTransaction", times, arrives=arrives), RICH)
    receipts = client.send_many([Tx(RECEIVER, value=1) for _ in range(3)])
    assert [receipt.status for receipt in receipts] == [1, 1, 1]
    assert client.balance(RECEIVER) == 3
    assert client.nonce(RICH.address) == 3


@pytest.mark.parametrize("arrives", [True, False])
def test_a_chain_that_stays_away_names_the_transaction(
    embedded: EmbeddedChain, arrives: bool
) -> None:
    method = "eth_getTransactionReceipt" if arrives else "eth_sendRawTransaction"
    client = Client(Flaky(embedded, method, 100, arrives=arrives), RICH)
    with pytest.raises(RpcUnavailable, match="may or may not be on the chain") as caught:
        client.send(Tx(RECEIVER, value=1, label="payment"))
    tx_hash = str(caught.value.facts["tx_hash"])
    assert tx_hash in caught.value.remedy
    assert (Client(embedded).receipt(tx_hash) is not None) is arrives
