"""The client: reads and sends over any `Rpc`, for one account or none.

Thin on purpose: eth-abi and eth-account, not web3.py, because it stands on the
path of every anchor. Sending lives in `sender.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from eth_account.signers.base import BaseAccount

from veridict.chain.addresses import from_hex, to_hex
from veridict.chain.receipts import BlockHead, LogEntry, Signed, Tx, TxReceipt
from veridict.chain.refusals import named
from veridict.chain.sender import Sender
from veridict.core.errors import BadInput, NotFound, Refused, WrongChain
from veridict.core.ports import Rpc

BlockTag = int | str  # a number, a block hash (0x and 64 digits), or "latest"
Topic = bytes | Sequence[bytes] | None  # one value, several, or any

LOG_WINDOW = 10_000  # blocks asked for at once; many public nodes answer no more
_HASH_LENGTH = 66


class Client:
    """`account` may be any `BaseAccount`: a local key, or a signer that holds it elsewhere.

    `expected_chain_id` is checked at once: raises WrongChain.
    """

    def __init__(
        self,
        rpc: Rpc,
        account: BaseAccount | None = None,
        *,
        expected_chain_id: int | None = None,
        confirm_timeout_s: float = 120.0,
    ) -> None:
        self.rpc = rpc
        self.account = account
        if expected_chain_id is not None and self.chain_id != expected_chain_id:
            raise WrongChain(
                f"the RPC serves chain {self.chain_id}, not {expected_chain_id}",
                remedy="give the URL of the chain that this node was set up with",
                found=self.chain_id,
                expected=expected_chain_id,
            )
        self._sender = Sender(rpc, account, lambda: self.chain_id, confirm_timeout_s)

    # -- reading ---------------------------------------------------------------

    @cached_property
    def chain_id(self) -> int:
        return int(self.rpc.call("eth_chainId", []), 16)

    @property
    def address(self) -> str:
        """The account's address. Raises BadInput for a client that only reads."""
        return self._sender.address

    def block_number(self) -> int:
        return int(self.rpc.call("eth_blockNumber", []), 16)

    def block(self, block: BlockTag = "latest") -> BlockHead:
        """Raises NotFound if there is no such block (any more)."""
        by_hash = isinstance(block, str) and len(block) == _HASH_LENGTH
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        found = self.rpc.call(method, [block if by_hash else _tag(block), False])
        if found is None:
            raise NotFound(
                f"block {block} does not exist",
                remedy="ask for a block up to the head; a reorganisation may have removed it",
                block=block,
            )
        return BlockHead.parse(found)

    def balance(self, address: str, block: BlockTag = "latest") -> int:
        """Wei."""
        return int(self.rpc.call("eth_getBalance", [address, _tag(block)]), 16)

    def nonce(self, address: str, block: BlockTag = "latest") -> int:
        return int(self.rpc.call("eth_getTransactionCount", [address, _tag(block)]), 16)

    def code(self, address: str, block: BlockTag = "latest") -> bytes:
        return from_hex(self.rpc.call("eth_getCode", [address, _tag(block)]))

    def storage(self, address: str, slot: int, block: BlockTag = "latest") -> int:
        return int(self.rpc.call("eth_getStorageAt", [address, hex(slot), _tag(block)]), 16)

    def call(
        self, to: str, data: bytes, block: BlockTag = "latest", *, label: str = "call"
    ) -> bytes:
        """What the contract at `to` returns. Raises Refused with the reason if it reverts."""
        try:
            return from_hex(self.rpc.call("eth_call", [self._fields(to, data), _tag(block)]))
        except Refused as error:
            raise named(error, label) from error

    def call_many(
        self, calls: Sequence[tuple[str, bytes]], block: BlockTag = "latest"
    ) -> list[bytes]:
        """As `call`, in one round trip. Raises Refused for the first that reverts."""
        tag = _tag(block)
        requests = [("eth_call", [self._fields(to, data), tag]) for to, data in calls]
        return [from_hex(result) for result in self.rpc.batch(requests)]

    def logs(
        self,
        address: str | Sequence[str] | None = None,
        topics: Sequence[Topic] = (),
        from_block: int = 0,
        to_block: BlockTag = "latest",
    ) -> list[LogEntry]:
        """Logs of blocks `from_block`..`to_block`, in their order on the chain."""
        last = to_block if isinstance(to_block, int) else self.block(to_block).number
        query: dict[str, Any] = {"topics": [_topic(topic) for topic in topics]}
        if address is not None:
            query["address"] = address if isinstance(address, str) else list(address)
        found: list[LogEntry] = []
        for first in range(from_block, last + 1, LOG_WINDOW):
            window = {"fromBlock": hex(first), "toBlock": hex(min(first + LOG_WINDOW - 1, last))}
            found += map(LogEntry.parse, self.rpc.call("eth_getLogs", [{**query, **window}]))
        return found

    # -- sending ---------------------------------------------------------------

    def send(self, tx: Tx, *, check: bool = True) -> TxReceipt:
        """Signs, sends and waits until it is mined.

        Raises Refused with the reason if it would revert or, unless `check` is
        False, if it did; NoFunds if the account cannot pay; RpcUnavailable if the
        chain went away (the transaction may still be mined: see facts["tx_hash"]).
        """
        (receipt,) = self._sender.send([tx], check=check)
        return receipt

    def send_many(self, txs: Sequence[Tx], *, check: bool = True) -> list[TxReceipt]:
        """As `send`, all in one batch with rising nonces.

        A transaction that depends on an earlier one of the batch needs its `gas`
        given: it cannot be estimated before. Raises for the first that failed,
        after all were mined.
        """
        return self._sender.send(txs, check=check)

    def hand_over(
        self, tx: Tx, keep: Callable[[Signed], None], *, instead_of: Signed | None = None
    ) -> Signed:
        """Signs, lets `keep` write it down, and only then gives it to the node; does not wait.

        Whoever dies in between finds what may be on its way where `keep` wrote it.
        `instead_of` is replaced: its nonce is taken, its fees are outbid, so that only
        one of the two can ever be mined. Raises as `send`, after `keep`.
        """
        return self._sender.hand_over(tx, keep, instead_of)

    def push(self, signed: Signed) -> None:
        """Gives the node a transaction again that was signed before, unless it has it.

        Raises Refused if it does not take it, RpcUnavailable if nobody can tell.
        """
        self._sender.push(signed)

    def is_known(self, tx_hash: str) -> bool:
        """Whether the node has the transaction, mined or waiting."""
        return self._sender.is_known(tx_hash)

    def why_reverted(self, tx: Tx, receipt: TxReceipt) -> Refused:
        """The refusal behind a mined receipt with status 0, found by calling again."""
        return self._sender.why_reverted(tx, receipt)

    def wait(self, tx_hash: str, timeout_s: float | None = None) -> TxReceipt:
        """The receipt, as soon as there is one. Raises RpcUnavailable after `timeout_s`."""
        return self._sender.wait(tx_hash, timeout_s)

    def receipt(self, tx_hash: str) -> TxReceipt | None:
        """The receipt of a mined transaction; None if it is unknown or not mined (any more)."""
        found = self.rpc.call("eth_getTransactionReceipt", [tx_hash])
        return None if found is None else TxReceipt.parse(found)

    def _fields(self, to: str, data: bytes) -> dict[str, str]:
        fields = {"to": to, "data": to_hex(data)}
        if self.account is not None:
            fields["from"] = str(self.account.address)
        return fields


def _tag(block: BlockTag) -> str | dict[str, str]:
    if isinstance(block, int):
        if block < 0:
            raise BadInput(f"block {block} is negative", remedy="pass a block number from 0")
        return hex(block)
    return {"blockHash": block} if len(block) == _HASH_LENGTH else block


def _topic(topic: Topic) -> str | list[str] | None:
    if topic is None:
        return None
    return to_hex(topic) if isinstance(topic, bytes) else [to_hex(value) for value in topic]
