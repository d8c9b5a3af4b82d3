"""kill -9 at random moments: nothing that was acknowledged is lost, and the chain goes on.

VERIDICT_KILLS sets how often (5 unless told).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from tests.support import sending_child
from tests.support.sending_child import CHAIN_ID, SENDER, raw
from veridict.chain.addresses import keccak256, to_hex
from veridict.chain.embedded import EmbeddedChain

KILLS = int(os.environ.get("VERIDICT_KILLS", "5"))  # read before tests clear the surroundings
RECEIVER = Account.from_key(b"\x02" * 32).address


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    totals = Totals()
    for seed in range(KILLS):
        acknowledged += send_until_killed(tmp_path, seed)
        with reopened(tmp_path) as chain:
            check_transactions(chain, acknowledged)
            totals = check_blocks(chain, totals)
            acknowledged.append(goes_on(chain))
    assert len(acknowledged) > 2 * KILLS


def send_until_killed(directory: Path, seed: int) -> list[str]:
    """The hashes that the child acknowledged before it died."""
    command = [sys.executable, sending_child.__file__, str(directory), str(seed)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()  # it is up and sends
    assert first, f"the child ended with status {child.wait()}"
    lines = [first]
    out = child.stdout
    reader = threading.Thread(target=lambda: lines.extend(out))
    reader.start()
    time.sleep(random.uniform(0, 0.6))
    child.kill()
    child.wait()
    reader.join()
    out.close()
    return [line.strip() for line in lines if line.endswith("\n")]


def reopened(directory: Path) -> EmbeddedChain:
    return EmbeddedChain.open(directory, chain_id=CHAIN_ID, genesis_accounts={})


def check_transactions(chain: EmbeddedChain, acknowledged: list[str]) -> None:
    receipts = chain.batch([("eth_getTransactionReceipt", [each]) for each in acknowledged])
    for receipt in receipts:
        assert receipt is not None
        assert receipt["status"] == "0x1"
    assert nonce(chain) >= len(acknowledged)


@dataclass(frozen=True, slots=True)
class Totals:
    """What the blocks up to `head` hold."""

    head: int = 0
    transactions: int = 0
    values: int = 0


def check_blocks(chain: EmbeddedChain, before: Totals) -> Totals:
    """Each new block follows the last and holds what it says; the state counts them all."""
    head, transactions, values = chain.head.number, before.transactions, before.values
    assert head >= before.head
    for number in range(before.head + 1, head + 1):
        block, parent = chain.store.block(number), chain.store.block(number - 1)
        assert block is not None
        assert parent is not None
        assert block.parent_hash == parent.hash
        assert keccak256(block.header) == block.hash
        assert block.timestamp_s >= parent.timestamp_s
        stored = chain.store.transactions(number)
        assert sum(each.gas_used for each in stored) == block.gas_used
        transactions += len(stored)
        values += sum(chain.executor.decode(each.raw).value for each in stored)
    assert nonce(chain) == transactions
    assert int(chain.call("eth_getBalance", [RECEIVER, "latest"]), 16) == values
    assert chain.store.block(head + 1) is None
    return Totals(head, transactions, values)


def goes_on(chain: EmbeddedChain) -> str:
    before = chain.head.number
    sent = chain.call("eth_sendRawTransaction", [raw(nonce(chain), to=RECEIVER, value=1)])
    assert chain.head.number == before + 1
    assert to_hex(chain.store.transactions(before + 1)[0].hash) == sent
    return str(sent)


def nonce(chain: EmbeddedChain) -> int:
    return int(chain.call("eth_getTransactionCount", [SENDER.address, "latest"]), 16)
