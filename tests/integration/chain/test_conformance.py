"""The embedded chain against anvil: equal gas, status, logs and state for the same transactions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.anvil import running_anvil
from tests.support.box import OTHER, RICH
from tests.support.transactions import STRANGER, Step, chosen_steps, random_steps
from veridict.chain.addresses import to_hex
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.http import HttpRpc
from veridict.core.ports import Rpc

FIELDS = ("status", "gasUsed", "contractAddress", "type", "from", "to", "logsBloom")
SLOTS = range(4)


def results(rpc: Rpc, steps: Iterable[Step], *, mine: bool) -> list[dict[str, Any]]:
    """One transaction a block; what can be compared of each receipt, and of the state after."""
    found = []
    for step in steps:
        tx_hash = rpc.call("eth_sendRawTransaction", [to_hex(step.raw)])
        if mine:
            rpc.call("evm_mine", [])
        receipt = rpc.call("eth_getTransactionReceipt", [tx_hash])
        logs = [(log["address"], log["topics"], log["data"]) for log in receipt["logs"]]
        found.append(
            {"title": step.title, "logs": logs, **{name: receipt[name] for name in FIELDS}}
            | {"state": state(rpc, receipt["contractAddress"] or receipt["to"])}
        )
    return found


def state(rpc: Rpc, address: str) -> list[str]:
    slots = [("eth_getStorageAt", [address, hex(slot), "latest"]) for slot in SLOTS]
    others = ("eth_getCode", "eth_getBalance", "eth_getTransactionCount")
    return rpc.batch([*slots, *((method, [address, "latest"]) for method in others)])


def compare(embedded: EmbeddedChain, steps: list[Step]) -> list[dict[str, Any]]:
    ours = results(embedded, steps, mine=False)
    with running_anvil(mining=False) as url, HttpRpc(url) as anvil:
        theirs = results(anvil, steps, mine=True)
        for address in (RICH.address, OTHER.address):
            count = ("eth_getTransactionCount", [address, "latest"])
            assert embedded.call(*count) == anvil.call(*count)
        assert state(embedded, STRANGER) == state(anvil, STRANGER)
    different = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert different == []
    return ours


def test_chosen_transactions(embedded: EmbeddedChain) -> None:
    found = compare(embedded, list(chosen_steps()))
    outcomes = {step["status"] for step in found}
    assert outcomes == {"0x0", "0x1"}
    assert sum(len(step["logs"]) for step in found) > 5


@pytest.mark.parametrize("seed", [1, 2])
def test_random_programs(embedded: EmbeddedChain, seed: int) -> None:
    found = compare(embedded, list(random_steps(30, seed)))
    called = found[1::2]
    assert {step["status"] for step in called} == {"0x0", "0x1"}
