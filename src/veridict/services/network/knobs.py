"""The live knobs that engines have for the gas limit of their blocks.

    anvil          evm_setBlockGasLimit: the next block has it
    geth           miner_setGasLimit: the blocks it builds move there by a 1,024th
    besu           miner_changeTargetGasLimit: as geth
    system-config  setGasLimit of an OP-stack chain's SystemConfig contract, by its owner

All are the operator's own: an engine that does not offer its method refuses, and nothing is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from eth_hash.auto import keccak

from veridict.chain.abi import encode_arguments
from veridict.chain.client import Client
from veridict.chain.receipts import Tx
from veridict.core.errors import BadInput
from veridict.core.ports import Rpc

METHODS = {
    "anvil": "evm_setBlockGasLimit",
    "geth": "miner_setGasLimit",
    "besu": "miner_changeTargetGasLimit",
}
_SET_GAS_LIMIT = keccak(b"setGasLimit(uint64)")[:4]


class Knob(Protocol):
    """What can be told a gas limit."""

    def turn(self, gas_limit: int) -> None:
        """Raises Refused or RpcUnavailable where it cannot."""


@dataclass(frozen=True, slots=True)
class EngineKnob:
    """Of an engine, by its own method; besu wants a number where the others want hex."""

    rpc: Rpc
    engine: str

    def __post_init__(self) -> None:
        if self.engine not in METHODS:
            raise BadInput(
                f"{self.engine!r} has no knob known here",
                remedy=f"name one of {', '.join(METHODS)}",
            )

    def turn(self, gas_limit: int) -> None:
        self.rpc.call(
            METHODS[self.engine], [gas_limit if self.engine == "besu" else hex(gas_limit)]
        )


@dataclass(frozen=True, slots=True)
class SystemConfigKnob:
    """Of an OP-stack chain: its contract on the chain below, which the client's account owns."""

    client: Client
    address: str

    def turn(self, gas_limit: int) -> None:
        data = _SET_GAS_LIMIT + encode_arguments("setGasLimit", ["uint64"], [gas_limit])
        self.client.send(Tx(self.address, data, 0))
