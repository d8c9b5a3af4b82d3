"""The embedded chain itself: one writer, durable, shared blocks, time that never runs back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from tests.support.anvil import CHAIN_ID
from tests.support.box import FUNDS, OTHER, RICH, box
from veridict.chain.addresses import to_hex
from veridict.chain.client import Client
from veridict.chain.deployment import deploy
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.embedded.gas import next_base_fee
from veridict.chain.embedded.miner import MAX_BLOCK_TRANSACTIONS
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import (
    BadInput,
    NodeRunning,
    Refused,
    RpcUnavailable,
    StorageFailed,
    WrongChain,
)

RECEIVER = "0x" + "11" * 20


def opened(path: Path, **options: Any) -> EmbeddedChain:
    options = {"chain_id": CHAIN_ID, "genesis_accounts": FUNDS, **options}
    return EmbeddedChain.open(path, **options)


def raw(nonce: int, by: Any = RICH, **fields: Any) -> str:
    full = {
        "chainId": CHAIN_ID, "nonce": nonce, "gas": 21_000, "to": RECEIVER, "value": 1,
        "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**6, **fields,
    }  # fmt: skip
    return to_hex(bytes(by.sign_transaction(full).raw_transaction))


def send(chain: EmbeddedChain, *raws: str) -> list[Any]:
    return chain.batch([("eth_sendRawTransaction", [each]) for each in raws])


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with opened(tmp_path) as chain:
        yield chain


def test_reopening_finds_everything(tmp_path: Path) -> None:
    with opened(tmp_path) as chain:
        contract = deploy(Client(chain, RICH), box(), 1_000)
        receipt = contract.send("put", 1, 2)
        block = chain.call("eth_getBlockByNumber", ["latest", True])
    with opened(tmp_path, genesis_accounts={}) as chain:
        client = Client(chain, RICH)
        assert chain.call("eth_getBlockByNumber", ["latest", True]) == block
        assert client.receipt(receipt.hash) == receipt
        contract = type(contract)(client, box(), contract.address)
        assert contract.call("values", 1) == 2
        contract.send("put", 1, 3)
        assert contract.call("values", 1) == 3
        assert contract.call("values", 1, block=receipt.block_number) == 2


def test_two_writers_cannot_be(tmp_path: Path) -> None:
    with opened(tmp_path):
        with pytest.raises(NodeRunning, match="has the chain in"):
            opened(tmp_path)
        other = (
            "import sys, pathlib; from veridict.chain.embedded import EmbeddedChain\n"
            "from veridict.core.errors import NodeRunning\n"
            "try: EmbeddedChain.open(pathlib.Path(sys.argv[1]), chain_id=1, genesis_accounts={})\n"
            "except NodeRunning: sys.exit(9)\n"
        )
        command = [sys.executable, "-c", other, str(tmp_path)]
        assert subprocess.run(command, check=False).returncode == 9
    opened(tmp_path).close()


def test_another_chain_id_is_refused_and_the_lock_let_go(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(WrongChain) as caught:
        opened(tmp_path, chain_id=1)
    assert caught.value.facts == {"found": str(CHAIN_ID), "expected": 1}
    opened(tmp_path).close()


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot use"):
        opened(file)
    (tmp_path / "chain").mkdir()
    (tmp_path / "chain" / "chain.sqlite").write_bytes(b"no database" * 1_000)
    with pytest.raises(StorageFailed, match="file fails"):
        opened(tmp_path / "chain")


def test_a_genesis_account_must_be_an_address(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has 2 bytes"):
        opened(tmp_path, genesis_accounts={"0x1234": 1})
    with opened(tmp_path, genesis_accounts={RECEIVER: 5}) as chain:
        assert chain.call("eth_getBalance", [RECEIVER, "latest"]) == "0x5"


def test_time_stands_still_while_the_clock_runs_back(tmp_path: Path) -> None:
    now_ms = 2_000_000_000_000
    with opened(tmp_path, clock=lambda: now_ms) as chain:
        times = []
        for nonce, step in enumerate((0, 5_000, -900_000, 0, 901_000)):
            now_ms += step
            send(chain, raw(nonce))
            times.append(chain.head.timestamp_s - 2_000_000_000)
        assert times == [0, 5, 5, 5, 6]


def test_a_batch_shares_blocks_of_bounded_size(chain: EmbeddedChain) -> None:
    count = MAX_BLOCK_TRANSACTIONS + 10
    hashes = send(chain, *(raw(nonce) for nonce in range(count)))
    receipts = chain.batch([("eth_getTransactionReceipt", [each]) for each in hashes])
    assert [r["blockNumber"] for r in receipts] == ["0x1"] * MAX_BLOCK_TRANSACTIONS + ["0x2"] * 10
    assert chain.head.number == 2


def test_a_full_block_is_followed_by_the_next(chain: EmbeddedChain) -> None:
    hashes = send(chain, *(raw(nonce, gas=25_000_000) for nonce in range(5)))
    assert len(set(hashes)) == 5
    assert chain.head.number >= 1
    assert chain.call("eth_getTransactionCount", [RICH.address, "pending"]) == "0x5"


def test_nonces_out_of_order_in_one_batch(chain: EmbeddedChain) -> None:
    hashes = send(chain, raw(2), raw(0, by=OTHER), raw(0), raw(1))
    assert len(set(hashes)) == 4
    assert chain.head.number == 1


def test_one_bad_transaction_does_not_stop_the_others(chain: EmbeddedChain) -> None:
    with pytest.raises(Refused, match="nonce too high"):
        send(chain, raw(0), raw(7), raw(1))
    assert chain.call("eth_getTransactionCount", [RICH.address, "latest"]) == "0x2"
    assert chain.head.number == 1


def test_refused_alone_makes_no_block(chain: EmbeddedChain) -> None:
    with pytest.raises(Refused, match="nonce too high"):
        send(chain, raw(7))
    assert chain.head.number == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nonce": 5}, "nonce too high"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"gas": 60_000_001}, "exceeds block gas limit"),
        ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base"),
        ({"maxPriorityFeePerGas": 10**11}, "max priority fee per gas higher"),
        ({"value": 10**30}, "insufficient funds"),
        ({"chainId": 1}, "invalid chain id"),
        ({"data": b"\x01" * 10_000, "gas": 200_000}, "floor data gas"),
        ({"to": "", "data": b"\x00" * 50_000, "gas": 9_000_000}, "max initcode size exceeded"),
    ],
)
def test_what_may_not_enter_a_block(
    chain: EmbeddedChain, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        send(chain, raw(**{"nonce": 0, **fields}))
    assert chain.head.number == 0


def test_a_transaction_is_taken_once(chain: EmbeddedChain) -> None:
    send(chain, raw(0))
    with pytest.raises(Refused, match="already known"):
        send(chain, raw(0))
    with pytest.raises(Refused, match="nonce too low"):
        send(chain, raw(0, value=2))
    twice = send(chain, raw(1), raw(1))
    assert twice[0] == twice[1]
    assert chain.call("eth_getBalance", [RECEIVER, "latest"]) == "0x2"


def test_the_base_fee_follows_the_formula(chain: EmbeddedChain) -> None:
    for nonce in range(3):
        before = chain.head
        send(chain, raw(nonce))
        assert chain.head.base_fee == next_base_fee(before) < before.base_fee
    history = chain.call("eth_feeHistory", ["0x2", "latest", [0, 50, 100]])
    assert history["oldestBlock"] == "0x2"
    assert history["baseFeePerGas"][-1] == hex(next_base_fee(chain.head))
    assert history["reward"] == [[hex(10**6)] * 3] * 2


def test_concurrent_senders_share_blocks_and_readers_see_whole_blocks(chain: EmbeddedChain) -> None:
    senders = [Account.create() for _ in range(6)]
    rich = Client(chain, RICH)
    rich.send_many([Tx(key.address, value=10**18) for key in senders])
    first = chain.head.number
    stop = threading.Event()
    torn: list[str] = []

    def read() -> None:
        """Every block's transactions and the receiver's balance in it agree."""
        while not stop.is_set():
            number = chain.call("eth_blockNumber", [])
            balance = int(chain.call("eth_getBalance", [RECEIVER, number]), 16)
            blocks = range(first + 1, int(number, 16) + 1)
            sent = sum(len(chain.store.transactions(n)) for n in blocks)
            if balance != sent:
                torn.append(f"block {number}: {balance} != {sent}")

    def send_some(key: Any) -> None:
        for nonce in range(10):
            send(chain, raw(nonce, by=key))

    reader = threading.Thread(target=read)
    reader.start()
    threads = [threading.Thread(target=send_some, args=(key,)) for key in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    assert torn == []
    assert int(chain.call("eth_getBalance", [RECEIVER, "latest"]), 16) == 60
    assert chain.head.number - first < 60  # some blocks were shared


def test_a_failing_disk_loses_nothing_and_can_be_mended(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    """A file that may not grow stands for a full disk."""
    send(chain, raw(0))
    writer = chain.store._write
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    big = raw(
        1, to=None, data=bytes.fromhex("615fff80600a3d393df3") + b"\x07" * 24_575, gas=9_000_000
    )
    with pytest.raises(StorageFailed, match="full"):
        send(chain, big)
    assert chain.head.number == 1
    writer.execute("PRAGMA max_page_count = 1000000")
    send(chain, big)
    assert chain.head.number == 2
    with closing(sqlite3.connect(tmp_path / "chain.sqlite")) as file, file:
        assert file.execute("SELECT count(*) FROM blocks").fetchone() == (3,)
    file.close()


def test_a_closed_chain_says_so(tmp_path: Path) -> None:
    chain = opened(tmp_path)
    url = chain.serve()
    assert chain.serve() == url
    chain.close()
    with pytest.raises(StorageFailed):
        chain.call("eth_getTransactionByHash", ["0x" + "00" * 32])
    with pytest.raises(StorageFailed):
        Client(chain, RICH).send(Tx(RECEIVER))
    with pytest.raises(RpcUnavailable, match="closed"):
        chain.miner.mine_empty()
    with pytest.raises(RpcUnavailable, match="cannot be reached"), HttpRpc(url, retries=0) as rpc:
        rpc.call("eth_chainId", [])


def test_estimates_are_enough_and_not_far_off(chain: EmbeddedChain) -> None:
    contract = deploy(Client(chain, RICH), box(), 1_000)
    call = {"from": RICH.address, "to": contract.address}
    data = contract.abi.function("put").encode([1, 2, "abc"])
    estimate = int(chain.call("eth_estimateGas", [{**call, "data": to_hex(data)}]), 16)
    receipt = contract.send("put", 1, 2, "abc", gas=estimate)
    assert receipt.gas_used <= estimate < receipt.gas_used * 1.05
    assert chain.call("eth_estimateGas", [{"from": RICH.address, "to": RECEIVER}]) == hex(21_000)


def test_an_idle_chain_calls_with_the_time_of_now(tmp_path: Path) -> None:
    """No block comes by itself: a deadline must pass for calls and estimates all the same."""
    now_ms = 2_000_000_000_000
    with opened(tmp_path, clock=lambda: now_ms) as chain:
        contract = deploy(Client(chain, RICH), box(), 1)
        now_ms += 60_000
        assert contract.call("now") == (2, 2_000_000_060)
        assert contract.call("now", block=1) == (1, 2_000_000_000)


def test_only_loopback_is_served(chain: EmbeddedChain) -> None:
    with pytest.raises(BadInput, match="not a loopback address"):
        chain.serve("0.0.0.0")
