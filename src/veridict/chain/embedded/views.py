"""Blocks, transactions, receipts and logs as JSON-RPC shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp
from eth_bloom.bloom import BloomFilter

from veridict.chain.addresses import to_hex
from veridict.chain.embedded.executor import Block, Transaction
from veridict.chain.embedded.store import StoredLog, StoredTransaction

Json = dict[str, Any]
_EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
_EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_EMPTY_SHA256 = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_ZERO_HASH = "0x" + "00" * 32


def block_view(block: Block, stored: Sequence[StoredTransaction], full: list[Json] | None) -> Json:
    """`full` are the transactions' views if they were asked for."""
    size = len(block.header) + sum(len(transaction.raw) for transaction in stored) + 4
    return {
        "number": hex(block.number),
        "hash": to_hex(block.hash),
        "parentHash": to_hex(block.parent_hash),
        "nonce": "0x0000000000000000",
        "sha3Uncles": _EMPTY_UNCLES,
        "logsBloom": to_hex(block.bloom.to_bytes(256, "big")),
        "transactionsRoot": to_hex(block.transactions_root),
        "stateRoot": to_hex(block.state_root),
        "receiptsRoot": to_hex(block.receipts_root),
        "miner": to_hex(block.coinbase),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": to_hex(rlp.decode(block.header)[12]),
        "size": hex(size),
        "gasLimit": hex(block.gas_limit),
        "gasUsed": hex(block.gas_used),
        "timestamp": hex(block.timestamp_s),
        "baseFeePerGas": hex(block.base_fee),
        "mixHash": _ZERO_HASH,
        "withdrawalsRoot": _EMPTY_ROOT,
        "withdrawals": [],
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": to_hex(rlp.decode(block.header)[19]),
        "requestsHash": _EMPTY_SHA256,
        "uncles": [],
        "transactions": [to_hex(tx.hash) for tx in stored] if full is None else full,
    }


def transaction_view(tx: Transaction, stored: StoredTransaction, block: Block) -> Json:
    view: Json = {
        "hash": to_hex(tx.hash),
        "blockHash": to_hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(stored.position),
        "type": hex(tx.type),
        "nonce": hex(tx.nonce),
        "from": to_hex(tx.sender),
        "to": None if tx.to is None else to_hex(tx.to),
        "value": hex(tx.value),
        "gas": hex(tx.gas),
        "gasPrice": hex(stored.gas_price),
        "input": to_hex(tx.data),
        "chainId": None if tx.chain_id is None else hex(tx.chain_id),
        "v": hex(tx.v),
        "r": hex(tx.r),
        "s": hex(tx.s),
    }
    if tx.type:
        view["yParity"] = hex(tx.v)
        view["accessList"] = [
            {"address": to_hex(a), "storageKeys": [to_hex(k.to_bytes(32, "big")) for k in keys]}
            for a, keys in tx.access_list
        ]
    if tx.type >= 2:
        view["maxFeePerGas"] = hex(tx.max_fee)
        view["maxPriorityFeePerGas"] = hex(tx.max_tip)
    return view


def receipt_view(
    tx: Transaction, stored: StoredTransaction, block: Block, logs: Sequence[StoredLog]
) -> Json:
    bloom = BloomFilter()
    for log in logs:
        bloom.add(log.address)
        bloom.extend(log.topics)
    return {
        "transactionHash": to_hex(tx.hash),
        "transactionIndex": hex(stored.position),
        "blockHash": to_hex(block.hash),
        "blockNumber": hex(block.number),
        "from": to_hex(tx.sender),
        "to": None if tx.to is None else to_hex(tx.to),
        "contractAddress": None if stored.contract is None else to_hex(stored.contract),
        "type": hex(tx.type),
        "status": hex(stored.status),
        "gasUsed": hex(stored.gas_used),
        "cumulativeGasUsed": hex(stored.gas_total),
        "effectiveGasPrice": hex(stored.gas_price),
        "logs": [log_view(log) for log in logs],
        "logsBloom": to_hex(int(bloom).to_bytes(256, "big")),
    }


def log_view(log: StoredLog) -> Json:
    return {
        "address": to_hex(log.address),
        "topics": [to_hex(topic) for topic in log.topics],
        "data": to_hex(log.data),
        "blockNumber": hex(log.block),
        "blockHash": to_hex(log.block_hash),
        "blockTimestamp": hex(log.timestamp_s),
        "transactionHash": to_hex(log.transaction),
        "transactionIndex": hex(log.position),
        "logIndex": hex(log.log),
        "removed": False,
    }
