"""A chain small enough to see through: blocks of coins, replaced at will, told by JSON-RPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

CHAIN = "eip155:99"
ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20


@dataclass(slots=True)
class TinyChain:
    """An `Rpc`. A block is a list of payments, each known by its number for ever."""

    blocks: list[tuple[str, str, list[int]]] = field(default_factory=list)  # hash, parent, numbers
    _made: int = 0

    def __post_init__(self) -> None:
        self.mine([])

    def mine(self, numbers: Sequence[int]) -> None:
        parent = self.blocks[-1][0] if self.blocks else "0x" + "00" * 32
        self._made += 1
        hash = "0x" + sha256(f"{parent} {self._made}".encode()).hexdigest()
        self.blocks.append((hash, parent, list(numbers)))

    def drop(self, depth: int) -> list[int]:
        """Takes back the last blocks, never the first; the payments that were in them."""
        depth = min(depth, len(self.blocks) - 1)
        lost = [
            number
            for _, _, numbers in self.blocks[len(self.blocks) - depth :]
            for number in numbers
        ]
        del self.blocks[len(self.blocks) - depth :]
        return lost

    @property
    def ids(self) -> list[str]:
        """Of all payments on the chain, in order."""
        return [id_of(number) for _, _, numbers in self.blocks for number in numbers]

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return "0x63"
        if method == "eth_blockNumber":
            return hex(len(self.blocks) - 1)
        if method == "eth_getLogs":
            return []
        if method == "eth_getTransactionReceipt":
            return self._receipt(params[0])
        assert method == "eth_getBlockByNumber"
        return self._block(int(params[0], 16))

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return [self.call(method, params) for method, params in calls]

    def _block(self, number: int) -> dict[str, Any] | None:
        if not 0 <= number < len(self.blocks):
            return None
        hash, parent, numbers = self.blocks[number]
        return {
            "number": hex(number),
            "hash": hash,
            "parentHash": parent,
            "timestamp": hex(1_600_000_000 + number),
            "transactions": [
                {"hash": hash_of(n), "from": ALICE, "to": BOB, "value": hex(n + 1)} for n in numbers
            ],
        }

    def _receipt(self, tx: str) -> dict[str, Any] | None:
        for hash, _, numbers in self.blocks:
            if any(hash_of(number) == tx for number in numbers):
                return {"blockHash": hash, "status": "0x1"}
        return None


def hash_of(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex()


def id_of(number: int) -> str:
    return f"{CHAIN}/{hash_of(number)}/native"
