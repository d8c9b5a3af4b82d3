"""A process to be killed: opens the chain in argv[1] and sends; a line for each hash acknowledged.

python sending_child.py DIRECTORY SEED
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from eth_account import Account

from veridict.chain.addresses import checksum, to_hex
from veridict.chain.embedded import EmbeddedChain

CHAIN_ID = 31_337
SENDER = Account.from_key(b"\x01" * 32)
# Stores its first word of data under its second: storage tries change with every call.
STORE = bytes.fromhex("600035602035555f5ff3")
INIT = bytes.fromhex(f"61{len(STORE):04x}80600a3d393df3") + STORE


def raw(nonce: int, **fields: object) -> str:
    full = {
        "chainId": CHAIN_ID, "nonce": nonce, "gas": 100_000, "value": 0, "data": b"",
        "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1, **fields,
    }  # fmt: skip
    return to_hex(bytes(SENDER.sign_transaction(full).raw_transaction))


def main(directory: str, seed: str) -> None:
    draw = random.Random(int(seed))
    chain = EmbeddedChain.open(
        Path(directory), chain_id=CHAIN_ID, genesis_accounts={SENDER.address: 10**24}
    )
    nonce = int(chain.call("eth_getTransactionCount", [SENDER.address, "latest"]), 16)
    if nonce == 0:
        sent = chain.call("eth_sendRawTransaction", [raw(0, data=INIT)])
        print(sent, flush=True)  # noqa: T201
        nonce = 1
    receipt = chain.call("eth_getTransactionReceipt", [first_hash(chain)])
    to = receipt["contractAddress"]
    while True:
        size = draw.choice((1, 1, 5, 40))
        group = [
            raw(n, to=Account.from_key(b"\x02" * 32).address, value=1)
            if n % 3
            else raw(n, to=checksum(to), data=n.to_bytes(32, "big") * 2)
            for n in range(nonce, nonce + size)
        ]
        hashes = chain.batch([("eth_sendRawTransaction", [each]) for each in group])
        print("\n".join(hashes), flush=True)  # noqa: T201
        nonce += size


def first_hash(chain: EmbeddedChain) -> str:
    block = chain.call("eth_getBlockByNumber", ["0x1", False])
    return str(block["transactions"][0])


if __name__ == "__main__":
    main(*sys.argv[1:])
