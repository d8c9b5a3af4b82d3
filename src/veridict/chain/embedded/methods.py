"""The JSON-RPC methods: the subset common to geth and anvil. One function a method.

"latest" is the last block's state; a call on it runs in the context of the next
block (its number and the time now), because this chain mines no block while idle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Protocol

from veridict.chain.addresses import to_hex
from veridict.chain.embedded import params as p
from veridict.chain.embedded.executor import Block, Call, Executor, Outcome, TransactionRefused
from veridict.chain.embedded.faults import SERVER_ERROR, Fault, execution_fault
from veridict.chain.embedded.gas import SUGGESTED_TIP, estimate, next_base_fee
from veridict.chain.embedded.miner import Miner
from veridict.chain.embedded.queries import fee_history, logs
from veridict.chain.embedded.store import LogQuery, Store, StoredTransaction
from veridict.chain.embedded.views import Json, block_view, receipt_view, transaction_view

Params = Sequence[Any]
HEAD_TAGS = ("latest", "pending", "safe", "finalized")  # a block is final when it is committed


class Chain(Protocol):
    """What the methods see of the embedded chain."""

    chain_id: int
    store: Store
    executor: Executor
    miner: Miner

    @property
    def head(self) -> Block: ...
    def now_s(self) -> int: ...


Method = Callable[[Chain, Params], Any]


# -- blocks and tags -----------------------------------------------------------


def block_at(chain: Chain, tag: object) -> Block:
    """The block a parameter names; None is the head. Raises Fault if it does not exist."""
    block = find_block(chain, tag)
    if block is None:
        raise Fault(SERVER_ERROR, "header not found")
    return block


def find_block(chain: Chain, tag: object) -> Block | None:
    if isinstance(tag, dict):
        if "blockHash" in tag:
            return chain.store.block_by_hash(p.word(tag["blockHash"]))
        tag = tag.get("blockNumber", "latest")
    if tag is None or tag in HEAD_TAGS:
        return chain.head
    number = 0 if tag == "earliest" else p.uint64(tag)
    return chain.store.block(number) if number <= chain.head.number else None


def _get_block(chain: Chain, block: Block | None, full: object) -> Json | None:
    if block is None:
        return None
    stored = chain.store.transactions(block.number)
    views = [_transaction(chain, tx, block) for tx in stored] if p.boolean(full or False) else None
    return block_view(block, stored, views)


def _block_by_number(chain: Chain, params: Params) -> Json | None:
    tag, full = p.arguments(params, 1, 2)
    return _get_block(chain, find_block(chain, tag), full)


def _block_by_hash(chain: Chain, params: Params) -> Json | None:
    block_hash, full = p.arguments(params, 1, 2)
    return _get_block(chain, chain.store.block_by_hash(p.word(block_hash)), full)


# -- state ---------------------------------------------------------------------


def _balance(chain: Chain, params: Params) -> str:
    address, tag = p.arguments(params, 1, 2)
    return hex(chain.executor.balance(block_at(chain, tag), p.address(address)))


def _transaction_count(chain: Chain, params: Params) -> str:
    address, tag = p.arguments(params, 1, 2)
    return hex(chain.executor.nonce(block_at(chain, tag), p.address(address)))


def _code(chain: Chain, params: Params) -> str:
    address, tag = p.arguments(params, 1, 2)
    return to_hex(chain.executor.code(block_at(chain, tag), p.address(address)))


def _storage(chain: Chain, params: Params) -> str:
    address, slot, tag = p.arguments(params, 2, 3)
    value = chain.executor.storage(block_at(chain, tag), p.address(address), p.quantity(slot))
    return to_hex(value.to_bytes(32, "big"))


# -- calls ---------------------------------------------------------------------


def _runner(chain: Chain, call: object, tag: object) -> tuple[Callable[[int], Outcome], int]:
    """The call as a function of its gas, and the most gas it may have."""
    fields = p.mapping(call)
    block = block_at(chain, tag)
    at_head = not isinstance(tag, dict) and (tag is None or tag in HEAD_TAGS)
    next_at_s = max(block.timestamp_s, chain.now_s()) if at_head else None
    sender = p.address(fields.get("from") or "0x" + "00" * 20)
    to = None if fields.get("to") is None else p.address(fields["to"])
    value = p.quantity(fields.get("value") or "0x0")
    given = fields.get("input") if fields.get("input") is not None else fields.get("data")
    data = p.data("0x" if given is None else given)
    limit = min(p.quantity(fields.get("gas") or hex(block.gas_limit)), block.gas_limit)

    def run(gas: int) -> Outcome:
        try:
            call = Call(sender, to, value, data, gas)
            return chain.executor.run(block, call, next_at_s=next_at_s)
        except TransactionRefused as error:
            raise Fault(SERVER_ERROR, str(error)) from error

    return run, limit


def _call(chain: Chain, params: Params) -> str:
    call, tag, overrides = p.arguments(params, 1, 3)
    if overrides:
        raise p.invalid("state overrides are not supported")
    run, limit = _runner(chain, call, tag)
    outcome = run(limit)
    if outcome.failure is not None:
        raise execution_fault(outcome)
    return to_hex(outcome.output)


def _estimate_gas(chain: Chain, params: Params) -> str:
    call, tag = p.arguments(params, 1, 2)
    run, limit = _runner(chain, call, tag)
    gas, outcome = estimate(run, limit)
    if outcome.failure is not None:
        raise execution_fault(outcome)
    return hex(gas)


# -- transactions --------------------------------------------------------------


def send_raw(chain: Chain, raws: Sequence[object]) -> list[str | Fault]:
    """A caller's raw transactions, mined together; a hash or a Fault for each."""
    answers: list[str | Fault] = []
    accepted = []
    for raw in raws:
        try:
            transaction = chain.executor.decode(p.data(raw))
            if chain.store.transaction(transaction.hash) is not None:
                raise Fault(SERVER_ERROR, "already known")
            accepted.append(transaction)
            answers.append(to_hex(transaction.hash))
        except TransactionRefused as error:
            answers.append(Fault(SERVER_ERROR, str(error)))
        except Fault as fault:
            answers.append(fault)
    outcomes = iter(chain.miner.submit(accepted) if accepted else [])
    for place, answer in enumerate(answers):
        if isinstance(answer, Fault):
            continue
        refusal = next(outcomes)
        if isinstance(refusal, TransactionRefused):
            answers[place] = Fault(SERVER_ERROR, str(refusal))
        elif refusal is not None:
            raise refusal
    return answers


def _send_raw_transaction(chain: Chain, params: Params) -> str:
    (answer,) = send_raw(chain, p.arguments(params, 1, 1))
    if isinstance(answer, Fault):
        raise answer
    return answer


def _transaction(chain: Chain, stored: StoredTransaction, block: Block) -> Json:
    return transaction_view(chain.executor.decode(stored.raw), stored, block)


def _transaction_by_hash(chain: Chain, params: Params) -> Json | None:
    (tx_hash,) = p.arguments(params, 1, 1)
    stored = chain.store.transaction(p.word(tx_hash))
    if stored is None:
        return None
    return _transaction(chain, stored, block_at(chain, hex(stored.block)))


def _receipt(chain: Chain, params: Params) -> Json | None:
    (tx_hash,) = p.arguments(params, 1, 1)
    stored = chain.store.transaction(p.word(tx_hash))
    if stored is None or stored.block > chain.head.number:
        return None
    query = LogQuery(stored.block, stored.block)
    found = chain.store.logs(query, position=stored.position)
    transaction = chain.executor.decode(stored.raw)
    return receipt_view(transaction, stored, block_at(chain, hex(stored.block)), found)


# -- the chain -----------------------------------------------------------------


def _none(params: Params) -> None:
    p.arguments(params, 0, 0)


def _constant(value: Callable[[Chain], Any]) -> Method:
    def method(chain: Chain, params: Params) -> Any:
        _none(params)
        return value(chain)

    return method


def _mine(chain: Chain, params: Params) -> str:
    p.arguments(params, 0, 1)
    chain.miner.mine_empty()
    return "0x0"


def _logs(chain: Chain, params: Params) -> list[Json]:
    (query,) = p.arguments(params, 1, 1)
    return logs(chain.store, p.mapping(query), lambda tag: block_at(chain, tag))


def _fee_history(chain: Chain, params: Params) -> Json:
    count, newest, percentiles = p.arguments(params, 2, 3)
    return fee_history(chain.store, p.quantity(count), block_at(chain, newest), percentiles)


METHODS: dict[str, Method] = {
    "eth_accounts": _constant(lambda chain: []),
    "eth_blockNumber": _constant(lambda chain: hex(chain.head.number)),
    "eth_call": _call,
    "eth_chainId": _constant(lambda chain: hex(chain.chain_id)),
    "eth_estimateGas": _estimate_gas,
    "eth_feeHistory": _fee_history,
    "eth_gasPrice": _constant(lambda chain: hex(next_base_fee(chain.head) + SUGGESTED_TIP)),
    "eth_getBalance": _balance,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getBlockByNumber": _block_by_number,
    "eth_getCode": _code,
    "eth_getLogs": _logs,
    "eth_getStorageAt": _storage,
    "eth_getTransactionByHash": _transaction_by_hash,
    "eth_getTransactionCount": _transaction_count,
    "eth_getTransactionReceipt": _receipt,
    "eth_maxPriorityFeePerGas": _constant(lambda chain: hex(SUGGESTED_TIP)),
    "eth_sendRawTransaction": _send_raw_transaction,
    "eth_syncing": _constant(lambda chain: False),
    "evm_mine": _mine,
    "net_version": _constant(lambda chain: str(chain.chain_id)),
    "web3_clientVersion": _constant(lambda chain: f"veridict/{version('veridict')}/py-evm"),
}
