"""One block of any EVM chain as payments: native coins that moved, and ERC-20 Transfer events.

    id  eip155:<chain>/<transaction>/native
        eip155:<chain>/<transaction>/erc20/<n>/<digest>

`n` counts equal transfers within the transaction, `digest` is of token, parties and amount. Neither
depends on the block: after a reorganisation the same payment has the same id, and one that came out
otherwise another. Coins that contracts pass on inside a transaction are in no block's record and
are not seen; transactions that reverted moved nothing. NFTs share the event's name: left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from veridict.chain.addresses import keccak256
from veridict.core.errors import BadInput, RpcUnavailable
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Dropped
from veridict.watch.feeds.normal import Event, event
from veridict.watch.feeds.wire import drop_code

TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
_TRANSFER_CALL, _TRANSFER_FROM_CALL = "a9059cbb", "23b872dd"
MOST_OF_ONE = 512  # transfers of one transaction that are looked at
_HEX = re.compile(r"0x[0-9a-f]*")
_WORD = 64  # hex digits

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """A block as the chain is followed by."""

    number: int
    hash: str
    parent: str
    time_s: int


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes payments of one chain. `tokens`: the only contracts followed; empty for all."""

    chain: str  # CAIP-2: "eip155:1"
    assets: Assets
    tokens: frozenset[str] = frozenset()

    def of_block(
        self, head: Head, txs: Sequence[Json], receipts: Mapping[str, Json], logs: Sequence[Json]
    ) -> list[Event | Dropped]:
        """In the order of execution. `receipts`: of transactions that carry coins, by hash."""
        by_tx: dict[str, list[Json]] = {}
        for log in logs:
            by_tx.setdefault(hex_of(log, "transactionHash"), []).append(log)
        found: list[Event | Dropped] = []
        for tx in txs:
            found += self._of_tx(head.time_s, tx, receipts, by_tx.pop(hex_of(tx, "hash"), []))
        return found

    def pending(self, tx: Json, now_s: int) -> list[Event | Dropped]:
        """What a transaction that waits would move, as far as its call tells."""
        hash, payer, to = hex_of(tx, "hash"), hex_of(tx, "from"), tx.get("to")
        if not isinstance(to, str):
            return []
        found = []
        if value := number_of(tx, "value"):
            found.append(self._native(hash, now_s, payer, to.lower(), value, "pending"))
        call = str(tx.get("input") or tx.get("data") or "")[2:]
        words = [call[8 + at : 8 + at + _WORD] for at in range(0, 3 * _WORD, _WORD)]
        if call[:8] == _TRANSFER_CALL and len(words[1]) == _WORD:
            moved = (payer, _address(words[0]), int(words[1], 16))
        elif call[:8] == _TRANSFER_FROM_CALL and len(words[2]) == _WORD:
            moved = (_address(words[0]), _address(words[1]), int(words[2], 16))
        else:
            return found
        if not self.tokens or to.lower() in self.tokens:
            found.append(self._token(hash, 0, now_s, to.lower(), *moved, "pending"))
        return found

    def _of_tx(
        self, time_s: int, tx: Json, receipts: Mapping[str, Json], logs: Sequence[Json]
    ) -> list[Event | Dropped]:
        hash, found = hex_of(tx, "hash"), list[Event | Dropped]()
        value, receipt = number_of(tx, "value"), receipts.get(hex_of(tx, "hash"))
        if value and receipt is not None and number_of(receipt, "status"):
            to = tx.get("to") or receipt.get("contractAddress")
            payee = to.lower() if isinstance(to, str) else ""
            found.append(self._native(hash, time_s, hex_of(tx, "from"), payee, value, "block"))
        moves = [moved for log in logs if (moved := self._moved(log)) is not None]
        seen: Counter[tuple[str, str, str, int]] = Counter()
        for moved in moves[:MOST_OF_ONE]:
            found.append(self._token(hash, seen[moved], time_s, *moved, "block"))
            seen[moved] += 1
        if len(moves) > MOST_OF_ONE:
            why = f"transaction {hash} moved tokens {len(moves)} times"
            found.append(Dropped("", "flood", why, len(moves) - MOST_OF_ONE, hash))
        return found

    def _moved(self, log: Json) -> tuple[str, str, str, int] | None:
        """Token, payer, payee and amount; None where it is no ERC-20 transfer that is followed."""
        topics, data = log.get("topics"), str(log.get("data") or "0x")[2:]
        token = hex_of(log, "address")
        if not isinstance(topics, list) or not topics or topics[0] != TRANSFER:
            return None
        if self.tokens and token not in self.tokens:
            return None
        words = [str(topic)[2:] for topic in topics[1:]]
        words += [data[at : at + _WORD] for at in range(0, min(len(data), 4 * _WORD), _WORD)]
        indexed = len(topics) in (1, 3)  # an NFT indexes its number too
        if not indexed or len(words) != 3 or any(len(word) != _WORD for word in words):
            return None
        return token, _address(words[0]), _address(words[1]), int(words[2], 16)

    def _native(
        self, hash: str, time_s: int, payer: str, payee: str, value: int, channel: str
    ) -> Event | Dropped:
        id, asset = f"{self.chain}/{hash}/native", f"{self.chain}/native"
        return self._event(id, time_s, asset, payer, payee, value, channel)

    def _token(
        self, hash: str, n: int, time_s: int, token: str, payer: str, payee: str, amount: int,
        channel: str,
    ) -> Event | Dropped:  # fmt: skip
        digest = sha256(f"{token} {payer} {payee} {amount}".encode()).hexdigest()[:8]
        id, asset = f"{self.chain}/{hash}/erc20/{n}/{digest}", f"{self.chain}/erc20:{token}"
        return self._event(id, time_s, asset, payer, payee, amount, channel)

    def _event(
        self, id: str, time_s: int, asset: str, payer: str, payee: str, amount: int, channel: str
    ) -> Event | Dropped:
        try:
            worth = self.assets.worth(asset, amount)
            return event(
                id, time_s, payer=payer, payee=payee, amount=amount, asset=asset,
                amount_minor=worth, source=self.chain, channel=channel,
            )  # fmt: skip
        except BadInput as problem:
            return Dropped("", drop_code(problem), f"{id}: {problem.message}", sample=asset)


def head_of(block: Json) -> Head:
    return Head(
        number_of(block, "number"),
        hex_of(block, "hash"),
        hex_of(block, "parentHash"),
        number_of(block, "timestamp"),
    )


def txs_of(block: Json) -> list[Json]:
    txs = block.get("transactions")
    if not isinstance(txs, list) or not all(isinstance(tx, Mapping) for tx in txs):
        raise nonsense("transactions", txs)
    return txs


def number_of(value: Json, key: str) -> int:
    try:
        return int(str(value.get(key) or "0x0"), 16)
    except ValueError:
        raise nonsense(key, value.get(key)) from None


def hex_of(value: Json, key: str) -> str:
    """In small letters. Raises RpcUnavailable for anything else."""
    text = str(value.get(key) or "").lower()
    if not _HEX.fullmatch(text) or len(text) not in (42, 66):
        raise nonsense(key, value.get(key))
    return text


def nonsense(what: str, value: object) -> RpcUnavailable:
    return RpcUnavailable(
        f"the node answered {str(value)[:60]!r} for {what}",
        remedy="ask another node: this one does not speak Ethereum's JSON-RPC",
    )


def _address(word: str) -> str:
    return "0x" + word[-40:].lower()
