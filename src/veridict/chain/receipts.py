"""What goes to the chain and what comes back: transactions, receipts, logs, blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veridict.chain.addresses import checksum, from_hex


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction to be signed. `to` None deploys `data`; `gas` None is estimated.

    `label` names it in errors, e.g. "Anchor.anchor".
    """

    to: str | None
    data: bytes = b""
    value: int = 0
    gas: int | None = None
    label: str = "transaction"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction: sending it twice is sending it once. `hash` is 0x hex, fees are wei."""

    hash: str
    raw: bytes
    nonce: int
    gas: int
    tx: Tx
    max_fee: int = 0
    tip: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One log of a contract; `topics` and `data` are raw bytes, `address` is EIP-55."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int

    @classmethod
    def parse(cls, log: Mapping[str, Any]) -> LogEntry:
        return cls(
            address=checksum(log["address"]),
            topics=tuple(from_hex(topic) for topic in log["topics"]),
            data=from_hex(log["data"]),
            block_number=int(log["blockNumber"], 16),
            block_hash=log["blockHash"],
            tx_hash=log["transactionHash"],
            log_index=int(log["logIndex"], 16),
        )


@dataclass(frozen=True, slots=True)
class TxReceipt:
    """A mined transaction. `status` is 1 for success, `gas_price` is what was paid, in wei."""

    hash: str
    block_number: int
    block_hash: str
    gas_used: int
    gas_price: int
    status: int
    contract_address: str | None
    logs: tuple[LogEntry, ...]

    @classmethod
    def parse(cls, receipt: Mapping[str, Any]) -> TxReceipt:
        created = receipt.get("contractAddress")
        return cls(
            hash=receipt["transactionHash"],
            block_number=int(receipt["blockNumber"], 16),
            block_hash=receipt["blockHash"],
            gas_used=int(receipt["gasUsed"], 16),
            gas_price=int(receipt.get("effectiveGasPrice") or "0x0", 16),
            status=int(receipt["status"], 16),
            contract_address=checksum(created) if created else None,
            logs=tuple(LogEntry.parse(log) for log in receipt["logs"]),
        )


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What a client needs of a block; `base_fee` in wei."""

    number: int
    hash: str
    parent_hash: str
    timestamp_s: int
    base_fee: int

    @classmethod
    def parse(cls, block: Mapping[str, Any]) -> BlockHead:
        return cls(
            number=int(block["number"], 16),
            hash=block["hash"],
            parent_hash=block["parentHash"],
            timestamp_s=int(block["timestamp"], 16),
            base_fee=int(block.get("baseFeePerGas") or "0x0", 16),
        )
