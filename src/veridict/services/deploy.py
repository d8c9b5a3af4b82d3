"""The contracts of one veridict network: deployed once a chain, found again by their addresses."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from eth_account.signers.base import BaseAccount

from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.core.errors import WrongChain

UNBONDING_S = 7 * 24 * 3600  # an operator who leaves stays answerable for a week


class Addresses(msgspec.Struct, frozen=True):
    """Where a network's contracts stand; written beside the log and into every receipt."""

    chain_id: int
    registry: str
    anchor: str
    stakes: str
    judge: str


@dataclass(frozen=True, slots=True)
class Network:
    """The contracts, bound to one client (one account)."""

    client: Client
    addresses: Addresses
    registry: Contract
    anchor: Contract
    stakes: Contract
    judge: Contract

    @classmethod
    def at(cls, client: Client, addresses: Addresses) -> Network:
        """Raises WrongChain if the client's chain has another id, or no code stands there."""
        if client.chain_id != addresses.chain_id:
            raise WrongChain(
                f"the contracts are on chain {addresses.chain_id}, "
                f"the RPC endpoint serves chain {client.chain_id}",
                remedy="point --rpc (VERIDICT_RPC) at the chain these records were anchored on, "
                "or choose another --home for this chain",
                expected=addresses.chain_id,
                found=client.chain_id,
            )
        if not client.code(addresses.anchor):
            raise WrongChain(
                f"no contract stands at {addresses.anchor} on chain {addresses.chain_id}",
                remedy="the chain was reset, or another chain has the same id: "
                "point --rpc at the right one, or choose a fresh --home",
                anchor=addresses.anchor,
            )
        return cls(
            client,
            addresses,
            Contract(client, Artifact.load("Registry"), addresses.registry),
            Contract(client, Artifact.load("Anchor"), addresses.anchor),
            Contract(client, Artifact.load("Stakes"), addresses.stakes),
            Contract(client, Artifact.load("Judge"), addresses.judge),
        )

    def acting_as(self, account: BaseAccount) -> Network:
        """The same contracts, called by another account."""
        return Network.at(Client(self.client.rpc, account), self.addresses)


def deploy_network(client: Client) -> Network:
    """Deploy registry, anchor, stakes and judge, and give the judge the power to slash."""
    registry = deploy(client, Artifact.load("Registry"))
    anchor = deploy(client, Artifact.load("Anchor"))
    stakes = deploy(client, Artifact.load("Stakes"), UNBONDING_S)
    scorer = deploy(client, Artifact.load("Scorer"))
    parts = (registry.address, anchor.address, stakes.address, scorer.address)
    judge = deploy(client, Artifact.load("Judge"), *parts)
    stakes.send("set_judge", judge.address)
    addresses = Addresses(
        client.chain_id, registry.address, anchor.address, stakes.address, judge.address
    )
    return Network(client, addresses, registry, anchor, stakes, judge)
