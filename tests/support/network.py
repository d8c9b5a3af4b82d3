"""Two days of mainnet, small models of them, and an EVM node that answers what it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from veridict.control.blocks import Block, BlockTable
from veridict.control.features import FeeFeatures
from veridict.control.files import clean
from veridict.control.horizons import Settings
from veridict.control.intake import Intake
from veridict.control.learning import FeeModels, learn
from veridict.control.waiting import Planner, learn_planner
from veridict.core.errors import RpcUnavailable
from veridict.services.network.desk import sample

PAST = 4_500
KNOTS = (5, 25, 100)
SETTINGS = Settings(horizons=(5, 25), rows=1_500, warm_up=500)


@cache
def mainnet() -> BlockTable:
    """What intake makes of the shipped blocks."""
    return clean(sample().blocks(), Intake())[0]


@cache
def small_models() -> FeeModels:
    """Of the first PAST blocks, 5 and 25 blocks ahead."""
    return learn(mainnet().slice(0, PAST), settings=SETTINGS)


@cache
def small_planner() -> Planner:
    past = mainnet().slice(0, PAST)
    return learn_planner(past, FeeFeatures().batch(past), settings=SETTINGS, knots=KNOTS)


class SmallEvm:
    """`core.ports.Rpc` over blocks in memory; `answers` are told instead of the truth."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = {block.number: block for block in blocks}
        self.answers: dict[int, Any] = {}
        self.down = False

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if self.down:
            raise RpcUnavailable("it is down", remedy="start it")
        if method == "eth_blockNumber":
            return hex(max(self.blocks))
        assert method == "eth_getBlockByNumber"
        number = int(params[0], 16)
        if number in self.answers:
            return self.answers[number]
        block = self.blocks.get(number)
        return None if block is None else header(block)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return [self.call(method, params) for method, params in calls]


def header(block: Block) -> dict[str, Any]:
    """As `eth_getBlockByNumber` tells it, without transactions' bodies."""
    return {
        "number": hex(block.number),
        "timestamp": hex(block.time_s),
        "baseFeePerGas": hex(block.base_fee_wei),
        "gasUsed": hex(block.gas_used),
        "gasLimit": hex(block.gas_limit),
        "hash": block.hash or f"0x{block.number:064x}",
        "parentHash": block.parent or f"0x{block.number - 1:064x}",
        "transactions": ["0x00"] * block.n_tx,
    }
