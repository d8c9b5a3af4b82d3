"""A place where a log is anchored: one contract on one chain, one account that anchors there.

A log's id binds the account and the log's key, so that the same log has another id at every
place where another account anchors it. What the log remembers of its places (`Deployed`)
finds the contracts again, and tells an auditor where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from veridict.chain.abi import encode_arguments
from veridict.chain.addresses import keccak256
from veridict.chain.client import Client
from veridict.chain.contract import Contract, Event
from veridict.core.errors import RpcUnavailable, WrongChain
from veridict.core.nouns import Anchor
from veridict.ledger.view import LogView

HOME = "home"  # the place whose chain also holds the models, stakes and guards
_PLACES = "places"  # the log's meta key


class Deployed(msgspec.Struct, frozen=True):
    """One place, as the log remembers it. No anchor of it stands in a block before `since`."""

    name: str
    chain_id: int
    genesis: str
    contract: str
    operator: str
    since: int


def remembered(log: LogView) -> list[Deployed]:
    """The places of `log` in the order in which they were first used."""
    stored = log.meta_get(_PLACES)
    return [] if stored is None else msgspec.json.decode(stored, type=list[Deployed])


def remembering(places: Sequence[Deployed], new: Deployed) -> tuple[str, bytes]:
    """What to put into the log's meta so that it remembers `new` beside `places`."""
    kept = [place for place in places if place.name != new.name]
    return _PLACES, msgspec.json.encode([*kept, new])


def log_key(verifier_key: str) -> bytes:
    """SHA-256 of the log's verifier key text: how the chain names the key that signs the log."""
    return sha256(verifier_key.encode()).digest()


def log_id(operator: str, key: bytes) -> bytes:
    """keccak256(abi.encode(operator, key)): one log of one operator, as the contract has it."""
    return keccak256(encode_arguments("log id", ["address", "bytes32"], [operator, key]))


def genesis_of(client: Client) -> str:
    """The hash of block 0, which tells chains apart that have one id."""
    return client.block(0).hash


@dataclass(frozen=True, slots=True)
class Head:
    """What the contract stored last for a log; zeros before the first anchor."""

    size: int
    time_s: int
    count: int


@dataclass(frozen=True, slots=True)
class Place:
    """One log at one place. `contract` is bound to the account that anchors, or only reads."""

    name: str
    contract: Contract
    operator: str
    key: bytes  # `log_key`
    chain_id: int
    genesis: str
    since: int
    final_block: Callable[[], int]

    @property
    def client(self) -> Client:
        return self.contract.client

    @property
    def identity(self) -> bytes:
        return log_id(self.operator, self.key)

    def confirm(self) -> None:
        """Raises WrongChain if another chain answers now, as behind a URL that was pointed anew."""
        answers = self.client.rpc.batch(
            [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])]
        )
        chain_id, genesis = int(answers[0], 16), (answers[1] or {}).get("hash")
        if (chain_id, genesis) == (self.chain_id, self.genesis):
            return
        raise WrongChain(
            f"the RPC of {self.name} answers for chain {chain_id} with genesis {genesis}, "
            f"not for chain {self.chain_id} with genesis {self.genesis}",
            remedy="point the URL at the chain that this log was anchored on; "
            "for another chain, give it another name",
            place=self.name,
            expected=self.chain_id,
            found=chain_id,
        )

    def head(self) -> Head:
        size, time_s, count = self.contract.call("head", self.identity)
        return Head(size, time_s, count)

    def anchors(self, from_block: int | None = None) -> list[Anchor]:
        """The chain's own list of anchors of this log, oldest first."""
        start = self.since if from_block is None else from_block
        events = self.contract.events("Anchored", from_block=start, logId=self.identity)
        return [self.noun(event) for event in events]

    def holds(self, anchor: Anchor) -> bool:
        """Does the contract vouch for it, apart from any event?"""
        held = self.contract.call("check", anchor.log_id, anchor.size, anchor.root, anchor.time_s)
        return bool(held)

    def noun(self, event: Event) -> Anchor:
        return Anchor(
            chain_id=self.chain_id,
            contract=self.contract.address,
            log_id=event.args["logId"],
            size=event.args["size"],
            root=event.args["root"],
            time_s=event.args["time"],
            tx_hash=event.tx_hash,
            block_number=event.block_number,
            block_hash=event.block_hash,
        )

    def is_canonical(self, anchor: Anchor) -> bool:
        """Is the anchor's block still part of the chain?"""
        found = self.client.rpc.call("eth_getBlockByNumber", [hex(anchor.block_number), False])
        return found is not None and found.get("hash") == anchor.block_hash

    def contradicts(self, what: str) -> RpcUnavailable:
        """A node that says two things at once: behind its peers, in a reorganisation, or lying."""
        return RpcUnavailable(
            f"the RPC of {self.name} contradicts itself: {what}",
            remedy="ask again; if it stays so, use another node of this chain",
            place=self.name,
            passing=True,
        )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another chain on which the log is anchored; without `place`, why it cannot be looked at."""

    name: str
    place: Place | None
    problem: str = ""
