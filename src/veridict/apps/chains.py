"""The set chains as places: to anchor on when a node tends them, to read when it is audited."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from veridict.apps.chain_settings import ChainSetting
from veridict.apps.settings import Settings
from veridict.chain.client import Client
from veridict.chain.fees import FeeHistory
from veridict.chain.finality import Finality
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import AnyAccount, Keyring, account_of
from veridict.core.errors import BadInput, OperatorError, VeridictError
from veridict.core.ports import Rpc
from veridict.ledger.view import LogView
from veridict.services.anchoring import home_place
from veridict.services.anchoring.fleet import Berth, Fleet
from veridict.services.anchoring.joining import join, revisit
from veridict.services.anchoring.journal import Journal
from veridict.services.anchoring.places import HOME, Elsewhere, Place, remembered
from veridict.services.anchoring.poster import Plan, Poster
from veridict.services.deploy import Network

TIMEOUT_S = 10.0
ANCHOR_EVERY_S = 60.0


def fleet_of(settings: Settings, network: Network, keyring: Keyring) -> Callable[[Journal], Fleet]:
    """The home chain first, on which fees matter unless it is the node's own."""
    others = berths(settings.chains, keyring)

    def made(journal: Journal) -> Fleet:
        fees = FeeHistory(network.client) if settings.rpc is not None else None
        place = home_place(journal.log, network)
        poster = Poster(place, journal, Plan(ANCHOR_EVERY_S), fees)
        return Fleet(Berth(HOME, lambda _: poster, poster), others(journal))

    return made


def berths(
    chains: Sequence[ChainSetting],
    keyring: Keyring,
    environment: Mapping[str, str] = os.environ,
) -> Callable[[Journal], list[Berth]]:
    """The chains as places that are opened when they are first tended: some may be down now."""
    # Keys are read at once: one that is malformed is the caller's to mend, not a chain's fault.
    ready = [(chain, _account(chain, keyring, environment)) for chain in chains]

    def made(journal: Journal) -> list[Berth]:
        return [Berth(chain.name, _opener(chain, account, journal)) for chain, account in ready]

    return made


def elsewhere(log: LogView, chains: Sequence[ChainSetting], opened: ExitStack) -> list[Elsewhere]:
    """Every chain besides the home chain that the log remembers, to be read by an audit."""
    urls = {chain.name: chain for chain in chains}
    found = []
    for known in remembered(log):
        if known.name == HOME:
            continue
        chain = urls.get(known.name)
        if chain is None:
            hint = f"no URL is given: pass --chain {known.name}=URL (chain id {known.chain_id})"
            found.append(Elsewhere(known.name, None, hint))
            continue
        rpc = opened.enter_context(HttpRpc(chain.rpc, TIMEOUT_S))
        try:
            final_block = Finality(Client(rpc), chain.confirmations)
            found.append(Elsewhere(known.name, revisit(log, known, rpc, final_block)))
        except VeridictError as problem:
            found.append(Elsewhere(known.name, None, problem.message))
    return found


def final_blocks(places: Sequence[Place]) -> dict[int, int]:
    """By chain id, the last final block of each chain that answers."""
    found = {}
    for place in places:
        with suppress(OperatorError):
            found[place.chain_id] = place.final_block()
    return found


def home_since(log: LogView) -> int:
    """No anchor of this log stands on its home chain in an older block."""
    return next((known.since for known in remembered(log) if known.name == HOME), 0)


def _opener(
    chain: ChainSetting, account: AnyAccount, journal: Journal
) -> Callable[[ExitStack], Poster]:
    def open_(connections: ExitStack) -> Poster:
        with ExitStack() as trying:
            rpc = trying.enter_context(HttpRpc(chain.rpc, TIMEOUT_S))
            place = join(
                journal.log,
                chain.name,
                rpc,
                account,
                lambda client: Finality(client, chain.confirmations),
                contract=chain.contract,
                chain_id=chain.chain_id,
            )
            poster = Poster(place, journal, _plan(chain, rpc), FeeHistory(place.client))
            connections.push(trying.pop_all())
        return poster

    return open_


def _account(chain: ChainSetting, keyring: Keyring, environment: Mapping[str, str]) -> AnyAccount:
    if chain.key_env is None:
        return keyring.account(f"anchor on {chain.name}")
    if chain.key_env not in environment:
        raise BadInput(
            f"{chain.key_env} is not set, which is to hold the key for chain {chain.name}",
            remedy="set it to 64 hex digits, or take key_env out of the settings",
        )
    return account_of(environment[chain.key_env], chain.key_env)


def _plan(chain: ChainSetting, rpc: Rpc) -> Plan:
    if chain.models is None:
        return Plan(chain.deadline_s)
    from veridict.services.network.anchoring import ForecastRule  # numba: a second to import

    return Plan(chain.deadline_s, ForecastRule.of(Path(chain.models).expanduser(), rpc))
