"""Any bytes at all get a JSON-RPC answer, and never disturb the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from veridict.chain.embedded import EmbeddedChain
from veridict.chain.embedded.faults import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR
from veridict.chain.embedded.methods import METHODS
from veridict.chain.embedded.rpc import answer_bytes

KEY = Account.from_key(b"\x03" * 32)
RAW = "0x" + KEY.sign_transaction(
    {"chainId": 7, "nonce": 0, "gas": 21_000, "to": KEY.address, "value": 1,
     "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1}
).raw_transaction.hex()  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedChain]:
    path = tmp_path_factory.mktemp("chain")
    with EmbeddedChain.open(path, chain_id=7, genesis_accounts={KEY.address: 10**18}) as chain:
        yield chain


quantities = st.integers(-1, 2**300).map(hex) | st.integers(0, 3).map(hex)
hexes = st.binary(max_size=80).map(lambda b: "0x" + b.hex())
words = st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex())
addresses = st.sampled_from([KEY.address, "0x" + "00" * 20, "0x" + "01".rjust(40, "0")])
tags = st.sampled_from(["latest", "pending", "earliest", "safe", "finalized", "0x0", "0xffff"])
odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
scalars = quantities | hexes | words | addresses | tags | odd | st.just(RAW)
call_fields = st.dictionaries(
    st.sampled_from(
        ["from", "to", "data", "input", "value", "gas", "gasPrice", "fromBlock", "toBlock",
         "address", "topics", "blockHash", "blockNumber"]
    ),
    scalars | st.lists(scalars | st.lists(scalars, max_size=3), max_size=5),
)  # fmt: skip
values = scalars | call_fields | st.lists(scalars, max_size=3)
methods = st.sampled_from(sorted(METHODS)) | st.text(max_size=20)
requests = st.fixed_dictionaries(
    {"method": methods | odd, "params": st.lists(values, max_size=4) | values},
    optional={"jsonrpc": st.just("2.0") | odd, "id": values},
)
FUZZ = settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check_answer(answer: bytes) -> list[dict[str, Any]]:
    """The responses, each well formed and none an internal error."""
    if not answer:
        return []
    parsed = json.loads(answer)
    responses = parsed if isinstance(parsed, list) else [parsed]
    for response in responses:
        assert response["jsonrpc"] == "2.0"
        assert ("result" in response) != ("error" in response)
        if "error" in response:
            error = response["error"]
            assert isinstance(error["code"], int)
            assert isinstance(error["message"], str)
            assert error["code"] != INTERNAL_ERROR, error
    return responses


@FUZZ
@given(body=st.binary(max_size=200))
@example(b"")
@example(b"[")
@example(b"\xff\xfe")
@example(b"[" * 100_000)
@example(b"1" * 5_000)
@example(b"nan")
@example(b'{"method": "eth_chainId", "id": ' + b"9" * 5_000 + b"}")
def test_bytes(chain: EmbeddedChain, body: bytes) -> None:
    (response,) = check_answer(answer_bytes(chain, body))
    assert response["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST)


@FUZZ
@given(request=requests)
@example({"method": "eth_call", "params": [{"gas": "0x0"}], "id": 1})
@example({"method": "eth_call", "params": [{"value": hex(2**256 - 1)}], "id": 1})
@example({"method": "eth_call", "params": [{"to": None, "data": "0xfe"}], "id": 1})
@example({"method": "eth_getStorageAt", "params": [KEY.address, hex(2**256 - 1)], "id": 1})
@example({"method": "eth_getBlockByNumber", "params": [hex(2**64 - 1), True], "id": 1})
@example({"method": "eth_getLogs", "params": [{"toBlock": hex(2**64 - 1)}], "id": 1})
@example({"method": "eth_getLogs", "params": [{"topics": [[], None, ["0x" + "00" * 32]]}], "id": 1})
@example({"method": "eth_feeHistory", "params": [hex(2**200), "latest", [1e308]], "id": 1})
@example({"method": "eth_sendRawTransaction", "params": ["0x02c0"], "id": 1})
@example({"method": "eth_sendRawTransaction", "params": [RAW], "id": None})
@example({"method": "eth_chainId", "id": {}})
@example({"method": "eth_chainId", "params": {"a": 1}, "id": 1})
def test_requests(chain: EmbeddedChain, request: dict[str, Any]) -> None:
    answered = check_answer(answer_bytes(chain, json.dumps(request).encode()))
    if "id" in request or not isinstance(request["method"], str):
        assert len(answered) == 1


@FUZZ
@given(batch=st.lists(requests | odd, min_size=1, max_size=5))
def test_batches(chain: EmbeddedChain, batch: list[Any]) -> None:
    answered = check_answer(answer_bytes(chain, json.dumps(batch).encode()))
    assert len(answered) <= len(batch)


def test_a_notification_gets_no_answer_and_an_empty_batch_an_error(chain: EmbeddedChain) -> None:
    assert answer_bytes(chain, b'{"jsonrpc": "2.0", "method": "eth_chainId"}') == b""
    for body in (b"[]", json.dumps([1] * 1_001).encode()):
        (response,) = check_answer(answer_bytes(chain, body))
        assert response["error"]["code"] == INVALID_REQUEST


def test_the_chain_still_works(chain: EmbeddedChain) -> None:
    assert chain.call("eth_chainId", []) == "0x7"
    assert int(chain.call("eth_blockNumber", []), 16) == chain.head.number
