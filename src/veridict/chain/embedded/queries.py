"""The two methods with a query of their own: eth_getLogs and eth_feeHistory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from veridict.chain.embedded import params as p
from veridict.chain.embedded.executor import Block
from veridict.chain.embedded.gas import next_base_fee
from veridict.chain.embedded.store import LogQuery, Store
from veridict.chain.embedded.views import Json, log_view

MAX_TOPICS = 4
MAX_ALTERNATIVES = 1_000  # addresses, or values of one topic: far below SQLite's limit
MAX_FEE_BLOCKS = 1_024
_FIELDS = {"fromBlock", "toBlock", "address", "topics", "blockHash"}


def logs(store: Store, query: Json, block_at: Callable[[object], Block]) -> list[Json]:
    """Raises Fault for a malformed filter; a range beyond the head is merely empty there."""
    unknown = set(query) - _FIELDS
    if unknown:
        raise p.invalid(f"unknown field {p.shown(sorted(unknown)[0])}")
    first, last = _range(query, block_at)
    addresses = [p.address(value) for value in _many(query.get("address"), "addresses")]
    given = query.get("topics") or []
    if not isinstance(given, list) or len(given) > MAX_TOPICS:
        raise p.invalid(f"topics is a list of at most {MAX_TOPICS}")
    topics = [tuple(p.word(value) for value in _many(place, "topics")) for place in given]
    while topics and not topics[-1]:
        topics.pop()
    found = store.logs(LogQuery(first, last, tuple(addresses), tuple(topics)))
    return [log_view(log) for log in found]


def _many(value: object, what: str) -> list[Any]:
    values = p.one_or_many(value)
    if len(values) > MAX_ALTERNATIVES:
        raise p.invalid(f"more than {MAX_ALTERNATIVES} {what}")
    return values


def _range(query: Json, block_at: Callable[[object], Block]) -> tuple[int, int]:
    if query.get("blockHash") is not None:
        number = block_at({"blockHash": query["blockHash"]}).number
        return number, number
    first, last = (_number(query.get(name), block_at) for name in ("fromBlock", "toBlock"))
    if first > last:
        raise p.invalid(f"fromBlock {first} is after toBlock {last}")
    return first, min(last, block_at("latest").number)


def _number(tag: object, block_at: Callable[[object], Block]) -> int:
    if isinstance(tag, str) and tag.startswith("0x"):
        return p.uint64(tag)
    return block_at(tag).number


def fee_history(store: Store, count: int, newest: Block, percentiles: object) -> Json:
    wanted = _percentiles(percentiles)
    count = min(count, MAX_FEE_BLOCKS, newest.number + 1)
    oldest = newest.number + 1 - count
    blocks = [b for n in range(oldest, newest.number + 1) if (b := store.block(n)) is not None]
    history: Json = {
        "oldestBlock": hex(oldest),
        "baseFeePerGas": [hex(b.base_fee) for b in blocks] + [hex(next_base_fee(newest))],
        "gasUsedRatio": [b.gas_used / b.gas_limit for b in blocks],
    }
    if wanted:
        history["reward"] = [_rewards(store, block, wanted) for block in blocks]
    return history


def _percentiles(value: object) -> list[float]:
    given = [] if value is None else value
    numbers = isinstance(given, list) and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) for x in given
    )
    if not isinstance(given, list) or not numbers or len(given) > 100:
        raise p.invalid("percentiles are a list of at most 100 numbers")
    if any(not 0 <= x <= 100 for x in given) or sorted(given) != given:
        raise p.invalid("percentiles lie between 0 and 100 and ascend")
    return [float(x) for x in given]


def _rewards(store: Store, block: Block, percentiles: list[float]) -> list[str]:
    """The tip paid at each percentile of the block's gas, cheapest first."""
    paid = sorted(
        (tx.gas_price - block.base_fee, tx.gas_used) for tx in store.transactions(block.number)
    )
    if not paid:
        return ["0x0"] * len(percentiles)
    rewards = []
    for percentile in percentiles:
        threshold, total, reward = block.gas_used * percentile / 100, 0, 0
        for tip, gas in paid:
            total, reward = total + gas, tip
            if total >= threshold:
                break
        rewards.append(hex(reward))
    return rewards
