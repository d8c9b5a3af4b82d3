"""Where blocks come from: a file, or any EVM node by its JSON-RPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from veridict.control.blocks import Block, BlockTable
from veridict.control.files import read_blocks
from veridict.core.errors import NotFound, RpcUnavailable
from veridict.core.ports import Rpc

BATCH = 100  # headers asked for at once


class BlockSource(Protocol):
    """Blocks by number."""

    def head(self) -> int:
        """The number of the last block."""

    def read(self, first: int, last: int) -> list[Block]:
        """Blocks first..last in order, as the source tells them; those it has not are left out."""


@dataclass(frozen=True, slots=True)
class TableBlocks:
    """Blocks that are in memory already."""

    table: BlockTable

    @classmethod
    def open(cls, path: Path) -> TableBlocks:
        """Raises BadStream."""
        return cls(read_blocks(path))

    def head(self) -> int:
        if not len(self.table):
            raise NotFound("the file holds no block", remedy="pass a file with blocks")
        return int(self.table.number[-1])

    def read(self, first: int, last: int) -> list[Block]:
        start, stop = np.searchsorted(self.table.number, [first, last + 1]).tolist()
        return list(self.table.slice(start, stop).blocks())


@dataclass(frozen=True, slots=True)
class RpcBlocks:
    """`eth_getBlockByNumber`, many in a batch. MEV bids are not known to a node."""

    rpc: Rpc

    def head(self) -> int:
        return _number(self.rpc.call("eth_blockNumber", []), "eth_blockNumber")

    def read(self, first: int, last: int) -> list[Block]:
        """Raises RpcUnavailable for an answer that is no block."""
        found: list[Block] = []
        for start in range(first, last + 1, BATCH):
            numbers = range(start, min(start + BATCH, last + 1))
            calls = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
            answers = self.rpc.batch(calls)
            found += [_block(answer) for answer in answers if answer is not None]
        return found


def _block(answer: Any) -> Block:
    if not isinstance(answer, Mapping):
        raise _nonsense("eth_getBlockByNumber", answer)
    return Block(
        number=_number(answer.get("number"), "number"),
        time_s=_number(answer.get("timestamp"), "timestamp"),
        base_fee_wei=_number(answer.get("baseFeePerGas", "0x0"), "baseFeePerGas"),
        gas_used=_number(answer.get("gasUsed"), "gasUsed"),
        gas_limit=_number(answer.get("gasLimit", "0x0"), "gasLimit"),
        n_tx=len(answer.get("transactions") or ()),
        hash=str(answer.get("hash") or ""),
        parent=str(answer.get("parentHash") or ""),
    )


def _number(value: Any, what: str) -> int:
    try:
        number = int(value, 16)
    except (TypeError, ValueError) as problem:
        raise _nonsense(what, value) from problem
    if not 0 <= number < 1 << 63:
        raise _nonsense(what, value)
    return number


def _nonsense(what: str, value: object) -> RpcUnavailable:
    return RpcUnavailable(
        f"the node answered {str(value)[:60]!r} for {what}",
        remedy="ask another node: this one does not speak Ethereum's JSON-RPC",
    )
