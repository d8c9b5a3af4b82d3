"""Real engines' base fees against the formula, and a forecaster that follows one of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.support.anvil import running_anvil
from tests.support.network import small_models, small_planner
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.http import HttpRpc
from veridict.control.base_fee import MAINNET
from veridict.control.blocks import BlockTable
from veridict.core.ports import Rpc
from veridict.services.network.source import RpcBlocks
from veridict.services.network.watch import NetworkWatch

RICH = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's first account, unlocked there


def _follows_the_formula(rpc: Rpc) -> int:
    """Pairs of blocks compared; anvil lets the first fee be chosen, so from block 1 on."""
    source = RpcBlocks(rpc)
    blocks = source.read(1, source.head())
    for before, after in pairwise(blocks):
        expected = MAINNET.next(before.base_fee_wei, before.gas_used, before.gas_limit)
        assert after.base_fee_wei == expected, after.number
        assert after.parent == before.hash
    return len(blocks) - 1


def test_anvil_follows_the_formula_and_can_be_followed() -> None:
    with running_anvil(mining=False) as url, HttpRpc(url) as rpc:
        for number in range(40):
            if number % 3:
                transfer = {"from": RICH, "to": RICH, "value": "0x1"}
                rpc.call("eth_sendTransaction", [transfer])
            rpc.call("evm_mine", [])
        assert _follows_the_formula(rpc) == 39
        source = RpcBlocks(rpc)
        watch = NetworkWatch(source, small_models(), small_planner(), lambda: 0, live=False)
        watch.begin(BlockTable.of(source.read(1, 20)))
        assert watch.catch_up() == []
        head = source.read(40, 40)[0]
        assert watch.forecast().number == 40
        rpc.call("evm_mine", [])
        assert watch.forecast().next_fee_wei == source.read(41, 41)[0].base_fee_wei
        assert head.hash


def test_the_embedded_chain_follows_the_formula(tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path, chain_id=99, genesis_accounts={RICH: 10**24}) as chain:
        for _ in range(12):
            chain.call("evm_mine", [])
        assert _follows_the_formula(chain) == 11
