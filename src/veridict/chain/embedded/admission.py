"""Which transactions may enter the next block: the checks and the words are geth's.

Clients match on these words ("nonce too low", "insufficient funds"), so they are
part of the interface.
"""

from __future__ import annotations

from typing import Protocol

from eth_typing import Address

from veridict.chain.embedded.executor import Transaction, TransactionRefused

MAX_INITCODE_BYTES = 2 * 24_576  # EIP-3860
INTRINSIC_GAS = 21_000
CREATE_GAS = 32_000
INITCODE_WORD_GAS = 2  # EIP-3860
FLOOR_GAS_PER_TOKEN = 10  # EIP-7623
DELEGATION_PREFIX = b"\xef\x01\x00"  # EIP-7702


class State(Protocol):
    def get_nonce(self, address: Address, /) -> int: ...
    def get_balance(self, address: Address, /) -> int: ...
    def get_code(self, address: Address, /) -> bytes: ...


class Header(Protocol):
    @property
    def gas_limit(self) -> int: ...
    @property
    def base_fee_per_gas(self) -> int: ...


def check_admission(tx: Transaction, state: State, header: Header, chain_id: int) -> None:
    """Raises TransactionRefused; afterwards the EVM itself finds nothing to refuse."""
    sender = Address(tx.sender)
    if tx.chain_id not in (None, chain_id):
        raise TransactionRefused(f"invalid chain id for signer: have {tx.chain_id} want {chain_id}")
    _check_nonce(tx, state.get_nonce(sender))
    if tx.gas > header.gas_limit:
        raise TransactionRefused("exceeds block gas limit")
    if tx.max_fee < tx.max_tip:
        raise TransactionRefused("max priority fee per gas higher than max fee per gas")
    if tx.max_fee < header.base_fee_per_gas:
        raise TransactionRefused(
            f"max fee per gas less than block base fee: maxFeePerGas {tx.max_fee}, "
            f"baseFee {header.base_fee_per_gas}"
        )
    _check_gas(tx)
    cost = tx.gas * tx.max_fee + tx.value
    balance = state.get_balance(sender)
    if balance < cost:
        raise TransactionRefused(
            f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}"
        )
    code = state.get_code(sender)
    if code and not code.startswith(DELEGATION_PREFIX):  # EIP-3607
        raise TransactionRefused("sender not an eoa")


def _check_nonce(tx: Transaction, next_nonce: int) -> None:
    if tx.nonce < next_nonce:
        raise TransactionRefused(f"nonce too low: next nonce {next_nonce}, tx nonce {tx.nonce}")
    if tx.nonce > next_nonce:
        raise TransactionRefused(
            f"nonce too high: next nonce {next_nonce}, tx nonce {tx.nonce}; "
            "this chain mines at once and keeps no queue"
        )


def _check_gas(tx: Transaction) -> None:
    if tx.to is None and len(tx.data) > MAX_INITCODE_BYTES:
        raise TransactionRefused(
            f"max initcode size exceeded: code size {len(tx.data)}, limit {MAX_INITCODE_BYTES}"
        )
    zeros = tx.data.count(0)
    tokens = zeros + 4 * (len(tx.data) - zeros)
    intrinsic = INTRINSIC_GAS + 4 * tokens
    if tx.to is None:
        intrinsic += CREATE_GAS + INITCODE_WORD_GAS * ((len(tx.data) + 31) // 32)
    intrinsic += sum(2_400 + 1_900 * len(keys) for _, keys in tx.access_list)  # EIP-2930
    if tx.gas < intrinsic:
        raise TransactionRefused(f"intrinsic gas too low: gas {tx.gas}, minimum needed {intrinsic}")
    floor = INTRINSIC_GAS + FLOOR_GAS_PER_TOKEN * tokens
    if tx.gas < floor:
        raise TransactionRefused(
            f"insufficient gas for floor data gas cost: gas {tx.gas}, minimum needed {floor}"
        )
