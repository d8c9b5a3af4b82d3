"""A contract as a Python object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from veridict.chain.abi import Abi
from veridict.chain.addresses import checksum
from veridict.chain.artifacts import Artifact
from veridict.chain.client import BlockTag, Client
from veridict.chain.receipts import LogEntry, Tx, TxReceipt


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log. `args` in the order of the source; see `abi` for the values."""

    name: str
    args: dict[str, Any]
    block_number: int
    tx_hash: str
    log_index: int
    block_hash: str


class Contract:
    """`contract.call("head", log_id)` reads, `contract.send("anchor", ...)` transacts.

    Every refusal names the contract and the function, and carries the reason.
    """

    def __init__(self, client: Client, artifact: Artifact, address: str) -> None:
        self.client = client
        self.artifact = artifact
        self.abi = Abi(artifact.name, artifact.abi)
        self.address = checksum(address)

    def call(self, name: str, *args: Any, block: BlockTag = "latest") -> Any:
        """The value a view returns: one value, or a tuple of several."""
        function = self.abi.function(name, len(args))
        label = f"{self.artifact.name}.{name}"
        output = self.client.call(self.address, function.encode(args), block, label=label)
        return function.decode(output)

    def tx(self, name: str, *args: Any, value: int = 0, gas: int | None = None) -> Tx:
        """The transaction, for `client.send_many`."""
        data = self.abi.function(name, len(args)).encode(args)
        return Tx(self.address, data, value, gas, f"{self.artifact.name}.{name}")

    def send(self, name: str, *args: Any, value: int = 0, gas: int | None = None) -> TxReceipt:
        """See `Client.send`."""
        return self.client.send(self.tx(name, *args, value=value, gas=gas))

    def events(
        self,
        name: str,
        from_block: int = 0,
        to_block: BlockTag = "latest",
        **indexed: Any,
    ) -> list[Event]:
        """The contract's events `name`, filtered by the values of indexed arguments."""
        topics = self.abi.event(name).topics(indexed)
        logs = self.client.logs(self.address, topics, from_block, to_block)
        return self.decode_logs(name, logs)

    def decode_logs(self, name: str, logs: Iterable[LogEntry]) -> list[Event]:
        """Those of `logs` (say, a receipt's) that are events `name` of this contract."""
        spec = self.abi.event(name)
        return [
            Event(
                name, spec.decode(log.topics, log.data), log.block_number, log.tx_hash,
                log.log_index, log.block_hash,
            )
            for log in logs
            if log.address == self.address and log.topics[:1] == (spec.topic,)
        ]  # fmt: skip
