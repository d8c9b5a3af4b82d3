"""Opening a place: finding its contract again, or deploying one; refusing what is not the place.

Only the Anchor contract is needed there: models, stakes and guards stay on the home chain.
"""

from __future__ import annotations

from collections.abc import Callable

from eth_account.signers.base import BaseAccount

from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.core.errors import BadInput, NoFunds, WrongChain
from veridict.core.ports import Rpc
from veridict.ledger.log import Log
from veridict.ledger.view import LogView
from veridict.services.anchoring.places import (
    Deployed,
    Place,
    genesis_of,
    log_key,
    remembered,
    remembering,
)

ANCHOR = "Anchor"
FinalBlock = Callable[[], int]


def join(
    log: Log,
    name: str,
    rpc: Rpc,
    account: BaseAccount,
    final_block: Callable[[Client], FinalBlock],
    *,
    contract: str | None = None,
    chain_id: int | None = None,
) -> Place:
    """The place `name` of `log`, with a contract of its own or the one at `contract`.

    `chain_id` is the chain that is meant. The log remembers the place from now on. Raises
    WrongChain, NoFunds, BadInput where another place of this log is on that chain or
    another account anchored here before, and what the chain raises.
    """
    client = Client(rpc, account, expected_chain_id=chain_id)
    known = next((place for place in remembered(log) if place.name == name), None)
    if known is None:
        known = _first(log, name, client, contract)
    elif known.operator != client.address:
        raise BadInput(
            f"{known.operator} anchored this log on {name}, not {client.address}",
            remedy="give the key that was used before, or name the chain anew",
            place=name,
            operator=known.operator,
        )
    place = place_of(log, known, client, final_block(client))
    _need_contract(place)
    return place


def revisit(log: LogView, known: Deployed, rpc: Rpc, final_block: FinalBlock) -> Place:
    """A remembered place, to read. Raises WrongChain, RpcUnavailable."""
    place = place_of(log, known, Client(rpc), final_block)
    _need_contract(place)
    return place


def place_of(log: LogView, known: Deployed, client: Client, final_block: FinalBlock) -> Place:
    return Place(
        name=known.name,
        contract=Contract(client, Artifact.load(ANCHOR), known.contract),
        operator=known.operator,
        key=log_key(log.verifier.vkey),
        chain_id=known.chain_id,
        genesis=known.genesis,
        since=known.since,
        final_block=final_block,
    )


def remember(
    log: Log, name: str, client: Client, contract: str, *, since: int, genesis: str
) -> Deployed:
    """Note the place with the log, durably."""
    made = Deployed(name, client.chain_id, genesis, contract, client.address, since)
    log.meta_put(*remembering(remembered(log), made))
    return made


def _first(log: Log, name: str, client: Client, contract: str | None) -> Deployed:
    """The first anchor of this log cannot stand before the block that is the newest now."""
    for other in remembered(log):
        if other.chain_id == client.chain_id:
            raise BadInput(
                f"chain {client.chain_id} is anchored on already, as {other.name}",
                remedy="name each chain once",
                place=name,
                chain_id=client.chain_id,
            )
    genesis, since = genesis_of(client), client.block_number()
    if contract is None:
        _need_funds(name, client)
        contract = deploy(client, Artifact.load(ANCHOR)).address
    else:
        since = 0  # this log may have been anchored there before this home was made
    return remember(log, name, client, contract, since=since, genesis=genesis)


def _need_contract(place: Place) -> None:
    place.confirm()
    if not place.client.code(place.contract.address):
        raise WrongChain(
            f"no contract stands at {place.contract.address} on {place.name}",
            remedy="the chain was reset, or the address is of another chain",
            place=place.name,
            anchor=place.contract.address,
        )


def _need_funds(name: str, client: Client) -> None:
    if client.balance(client.address) == 0:
        raise NoFunds(
            f"{client.address}, which anchors on {name}, has no ether there",
            remedy=f"send ether to {client.address} on chain {client.chain_id}",
            operator=client.address,
            chain_id=client.chain_id,
            place=name,
        )
