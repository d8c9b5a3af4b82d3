"""The embedded chain: transactions a second, and how fast it opens with 10,000 of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from eth_account import Account

from benchmarks.row import Row
from veridict.chain.addresses import to_hex
from veridict.chain.embedded import EmbeddedChain

CHAIN_ID = 31_337
SENDER = Account.from_key(b"\x01" * 32)
RECEIVER = "0x" + "11" * 20
TRANSACTIONS = 10_000
GROUP = 100
SINGLES = 300
OPENINGS = 20


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        signed = transfers(TRANSACTIONS)
        with opened(path) as chain:
            singles = rate(chain, [[next(signed)] for _ in range(SINGLES)])
            groups = (TRANSACTIONS - SINGLES) // GROUP
            grouped = rate(chain, [[next(signed) for _ in range(GROUP)] for _ in range(groups)])
        return [
            Row("chain.embedded_tx_per_s", grouped, f"tx/s in blocks of {GROUP}"),
            Row("chain.embedded_tx_per_s_single", singles, "tx/s in blocks of one"),
            Row("chain.open_ms", opening_ms(path), f"ms at {TRANSACTIONS} tx"),
        ]


def opened(path: Path) -> EmbeddedChain:
    return EmbeddedChain.open(
        path, chain_id=CHAIN_ID, genesis_accounts={str(SENDER.address): 10**24}
    )


def transfers(count: int) -> Iterator[str]:
    """Signed before the clock runs."""
    for nonce in range(count):
        fields = {
            "chainId": CHAIN_ID, "nonce": nonce, "gas": 21_000, "to": RECEIVER, "value": 1,
            "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1,
        }  # fmt: skip
        yield to_hex(bytes(SENDER.sign_transaction(fields).raw_transaction))


def rate(chain: EmbeddedChain, groups: Sequence[Sequence[str]]) -> float:
    """Transactions a second, each group acknowledged durable before the next is sent."""
    begun = time.perf_counter()
    for group in groups:
        chain.batch([("eth_sendRawTransaction", [raw]) for raw in group])
    return round(sum(map(len, groups)) / (time.perf_counter() - begun), 1)


def opening_ms(path: Path) -> float:
    """The fastest of several openings, until the head's state has answered."""
    times = []
    for _ in range(OPENINGS):
        begun = time.perf_counter()
        with opened(path) as chain:
            count = int(chain.call("eth_getTransactionCount", [SENDER.address, "latest"]), 16)
            times.append(time.perf_counter() - begun)
            assert count == TRANSACTIONS
    return round(min(times) * 1000, 2)
