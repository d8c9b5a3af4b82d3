"""The port behind which the EVM implementation stands, and the nouns that cross it.

Nothing outside the one module that implements `Executor` knows which EVM runs.
Bytes are raw (no hex), amounts are wei, addresses have 20 bytes, hashes 32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CallTarget = bytes | None  # None creates a contract


@dataclass(frozen=True, slots=True)
class Block:
    """A sealed block's header. `header` is its RLP, of which `hash` is the Keccak-256."""

    number: int
    hash: bytes
    parent_hash: bytes
    coinbase: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: int
    gas_limit: int
    gas_used: int
    timestamp_s: int
    base_fee: int
    header: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction. `max_fee` and `max_tip` are the gas price for legacy types 0 and 1."""

    hash: bytes
    sender: bytes
    type: int
    chain_id: int | None
    nonce: int
    gas: int
    max_fee: int
    max_tip: int
    to: CallTarget
    value: int
    data: bytes
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...]
    v: int
    r: int
    s: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Executed:
    """What one transaction did in its block. `status` is 1 for success."""

    transaction: Transaction
    status: int
    gas_used: int
    gas_price: int
    contract: bytes | None
    logs: tuple[Log, ...]


class TransactionRefused(Exception):
    """The transaction cannot enter a block; the text is what geth answers in this case."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new block. `left` did not fit into its gas; `refused` can enter no next block."""

    block: Block
    executed: tuple[Executed, ...]
    refused: tuple[tuple[Transaction, TransactionRefused], ...]
    left: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class Call:
    sender: bytes
    to: CallTarget
    value: int
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call returned. `failure` is None on success, "execution reverted" after REVERT.

    `gas_used` is after refunds; `gas_peak` is what the call needs to have before them.
    """

    output: bytes
    gas_used: int
    gas_peak: int
    failure: str | None


REVERTED = "execution reverted"


class Executor(Protocol):
    """Runs transactions and calls. `seal` is called by one thread, the rest by any."""

    def genesis(self, balances: Mapping[bytes, int], timestamp_s: int, gas_limit: int) -> Block: ...

    def decode(self, raw: bytes) -> Transaction:
        """Raises TransactionRefused unless `raw` is one transaction with a valid signature."""

    def seal(self, parent: Block, transactions: Sequence[Transaction], timestamp_s: int) -> Sealed:
        """Executes in order; the new state waits in the key-value store for its commit."""

    def run(self, at: Block, call: Call, *, next_at_s: int | None) -> Outcome:
        """`call` on the state after `at`, in its own context, or in that of a next block."""

    def balance(self, at: Block, address: bytes) -> int: ...

    def nonce(self, at: Block, address: bytes) -> int: ...

    def code(self, at: Block, address: bytes) -> bytes: ...

    def storage(self, at: Block, address: bytes, slot: int) -> int: ...
