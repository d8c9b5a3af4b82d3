"""The composition root: a home directory and an RPC become a node, here and nowhere else.

home/
  accounts.json   keys of the operator and other roles, 0600
  log/            the log, its signing key
  vault/          a key for every subject, without which no payload opens
  models/         canonical models by their ids
  chain/          the embedded chain, where no RPC is given
  node.json       while a node runs: where it can be reached
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import msgspec

from veridict.apps.chains import elsewhere, fleet_of, home_since
from veridict.apps.running import Running, running_node
from veridict.apps.settings import Settings
from veridict.apps.vaults import open_vault
from veridict.apps.witnesses import policy_of, second_key, witnesses_of
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.core.clock import SteadyClock
from veridict.core.errors import (
    BadInput,
    EvidenceError,
    NoFunds,
    NotFound,
    StorageFailed,
    WrongChain,
)
from veridict.core.nouns import Decision, Request
from veridict.core.ports import Rpc
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.models.card import ModelCard
from veridict.models.shelf import Shelf
from veridict.privacy.vault import SubjectVault
from veridict.proofs.bundle import BundleKey
from veridict.services.anchoring.joining import remember
from veridict.services.anchoring.places import HOME, Elsewhere, Place, genesis_of
from veridict.services.audit.anchors import seen_at
from veridict.services.cases.suppressing import Suppressor
from veridict.services.deploy import Addresses, Network, deploy_network
from veridict.services.face import Face, plain_face
from veridict.services.node import Node, Parts
from veridict.services.numbering import last_time_ms, numbered
from veridict.services.papers.files import Subject, registration, write_papers
from veridict.services.trial.challenger import join
from veridict.services.trial.drifting import DriftAlarms
from veridict.watch.scenario import Scenario

_log = logging.getLogger(__name__)

EMBEDDED_CHAIN_ID = 0x764454  # "vDT": no public network's
GENESIS_WEI = 10**6 * 10**18
NEEDED_WEI = 10**17
ADDRESSES = "addresses"
SIGNING_KEY = "signing.pem"  # of papers, for tools that take no Ed25519
CHAIN_NAMES = {
    1: "Ethereum",
    10: "OP Mainnet",
    137: "Polygon",
    8453: "Base",
    31337: "development",
    42161: "Arbitrum One",
    11155111: "Sepolia",
    EMBEDDED_CHAIN_ID: "embedded",
}


def open_node(settings: Settings, scenario: Scenario[Any] | None = None) -> Node:
    """Open the node in `settings.home` for writing, creating and deploying what is not there.

    Raises NodeRunning if another process has it, WrongChain, NoFunds, RpcUnavailable,
    StorageFailed.
    """
    with ExitStack() as opened:
        home = settings.home
        keyring = Keyring(home / "accounts.json")
        operator = keyring.account("operator")
        signer = load_or_create_signer(home / "log", f"veridict/{operator.address.lower()}")
        also = second_key(settings, signer.name)
        vault, clock = open_vault(settings), SteadyClock()
        log = Log.open(
            home / "log",
            signer=signer,
            clock=clock,
            also=also,
            vault=vault,
            store=settings.store,
            finish=numbered if settings.store else None,
        )
        opened.callback(log.close)
        _need_own_vault(settings, log, vault)
        clock.after(last_time_ms(log))
        if log.meta_get(ADDRESSES) is not None:
            _need_url(settings, _addresses(log))
        rpc = opened.enter_context(_chain(settings, operator.address))
        client = Client(rpc, operator)
        network = _network(log, client)
        parts = Parts(
            log=log,
            vault=vault,
            network=network,
            keyring=keyring,
            shelf=Shelf(home / "models"),
            clock=clock,
            chain_name=CHAIN_NAMES.get(client.chain_id, f"chain {client.chain_id}"),
            rpc_url=settings.rpc,
            serve_rpc=_server(rpc),
            fleet=fleet_of(settings, network, keyring),
            close=opened.close,
        )
        node = Node(parts, face_of(scenario) if scenario else plain_face())
        if vault.retired():
            _log.warning("an erasure was begun and not finished: run `veridict erase` again")
        node.listeners.append(Suppressor(node))
        opened.callback(node.fleet.close)
        join(node)
        node.listeners.append(DriftAlarms(node))
        node.witnesses = witnesses_of(settings, log, node.bus, clock)
        _look_home(node)
        parts.close = opened.pop_all().close
    return node


def _look_home(node: Node) -> None:
    """The last process may have died between an anchor and its note."""
    try:
        node.reconcile()
    except EvidenceError as problem:  # the audit names it; nothing can be anchored until then
        node.fleet.home.problem = problem
        _log.error("%s: %s", problem.code, problem.message)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an audit needs: the log as it lies on disk, the models, and the chain."""

    log: Log
    shelf: Shelf
    network: Network
    operator: str
    elsewhere: tuple[Elsewhere, ...] = ()
    since: int = 0

    def unanchored(self) -> int:
        """Records that no anchor on the home chain covers."""
        return max(0, self.log.size - self.home().head().size)

    def places(self) -> list[Place]:
        """The chains that could be reached, the home chain first, to read."""
        return [self.home(), *(other.place for other in self.elsewhere if other.place)]

    def home(self) -> Place:
        """The home chain as a place, to read."""
        return seen_at(self.network, self.operator, self.log, self.since)

    def latest_card(self) -> ModelCard:
        """The card of the model registered last. Raises NotFound in a log without one."""
        return registration(self.log).model_card()


@contextmanager
def open_evidence(settings: Settings, operator: str | None = None) -> Iterator[Evidence]:
    """Open a home for reading, also while its node runs. Raises NotFound where there is none."""
    home = settings.home
    _need_log(settings)
    with ExitStack() as opened:
        vault = open_vault(settings, writable=False)
        log = opened.enter_context(
            Log.open_readonly(home / "log", vault=vault, store=settings.store)
        )
        log.expect_witnesses(policy_of(settings))
        address = operator or Keyring(home / "accounts.json").account("operator").address
        addresses = _addresses(log)
        _need_url(settings, addresses)
        rpc = opened.enter_context(_chain(settings, address))
        network = Network.at(Client(rpc), addresses)
        others = tuple(elsewhere(log, settings.chains, opened))
        shelf = Shelf(home / "models")
        yield Evidence(log, shelf, network, address, others, home_since(log))


def papers_of(settings: Settings, model_id: bytes | None = None) -> dict[str, bytes]:
    """The papers of a model registered in this home, of the last one by default; by file name.

    Needs no chain, and works beside a running node. Raises NotFound, StorageFailed.
    """
    home = settings.home
    _need_log(settings)
    with Log.open_readonly(home / "log", store=settings.store) as log:
        subject = Subject.of(registration(log, model_id), Shelf(home / "models"))
        signer = load_or_create_signer(home / "log", log.origin)
        return write_papers(subject, signer, BundleKey.load_or_create(home / SIGNING_KEY))


def face_of(scenario: Scenario[Any]) -> Face:
    words = scenario.words

    def summary(request: Request) -> str:
        try:
            return scenario.summary(request)
        except BadInput:  # a payment in the guard, or rows that were sent to the API
            return request.id

    return Face(
        name=f"{scenario.name}/{scenario.data_name}",
        title=scenario.title,
        words={decision.word: words.meaning(decision) for decision in Decision},
        notices=scenario.notices,
        reason=scenario.reason_text,
        summary=summary,
        value=scenario.value_text,
        whom=words.whom,
    )


@contextmanager
def existing_chain(settings: Settings) -> Iterator[Rpc]:
    """The chain by URL, a running node's, or the home's embedded one. Raises BadInput if none."""
    running = running_node(settings.home)
    if settings.rpc is None and running is None and not (settings.home / "chain").is_dir():
        raise BadInput(
            "no chain to ask",
            remedy="pass --rpc URL, or set VERIDICT_RPC; the embedded chain is served by "
            "`veridict up` at the address it prints",
        )
    with _chain(settings, operator="0x" + "00" * 20) as rpc:
        yield rpc


@contextmanager
def open_account(settings: Settings, role: str, addresses: Addresses) -> Iterator[Network]:
    """The contracts at `addresses`, called by the account that plays `role` in this home."""
    account = Keyring(settings.home / "accounts.json").account(role)
    with existing_chain(settings) as rpc:
        yield Network.at(Client(rpc, account), addresses)


@contextmanager
def _chain(settings: Settings, operator: str) -> Iterator[Rpc]:
    """The chain by URL; else the running node's; else the embedded one, opened here."""
    running: Running | None = running_node(settings.home)
    url = settings.rpc or (running.rpc if running else None)
    if url is not None:
        with HttpRpc(url) as remote:
            yield remote
        return
    from veridict.chain.embedded import EmbeddedChain  # py-evm: a second to import

    with EmbeddedChain.open(
        settings.home / "chain",
        chain_id=EMBEDDED_CHAIN_ID,
        genesis_accounts={operator: GENESIS_WEI},
    ) as chain:
        yield chain


def _need_url(settings: Settings, addresses: Addresses) -> None:
    """Before an empty embedded chain is begun beside a log that stands on another. WrongChain."""
    given = settings.rpc or running_node(settings.home)
    if given is None and addresses.chain_id != EMBEDDED_CHAIN_ID:
        raise WrongChain(
            f"this log is anchored on chain {addresses.chain_id}, not on an embedded chain",
            remedy="pass that chain's URL with --rpc, or set VERIDICT_RPC",
            expected=addresses.chain_id,
            found=EMBEDDED_CHAIN_ID,
        )


def _server(rpc: Rpc) -> Callable[[], str]:
    """Serves the embedded chain on a loopback port and returns its URL; a remote chain has one."""

    def serve() -> str:
        assert isinstance(rpc, _Servable), "a chain that was given by URL is served already"
        return rpc.serve()

    return serve


@runtime_checkable
class _Servable(Protocol):
    def serve(self) -> str: ...


def _need_own_vault(settings: Settings, log: Log, vault: SubjectVault) -> None:
    """A vault that was lost must not be begun anew unnoticed. Raises StorageFailed."""
    slot = log.last_slot()
    alone = settings.store is None or settings.shared_vault is not None
    if alone and slot is not None and vault.salt(slot) is None:
        raise StorageFailed(
            "this vault is not the one that sealed the log's payloads",
            remedy="put back its backup, or set VERIDICT_VAULT to where it is",
            vault=vault.name,
        )


def _need_log(settings: Settings) -> None:
    if not (settings.home / "log").is_dir():
        raise NotFound(
            f"{settings.home} holds no log",
            remedy="name the home of a node with --home, or run `veridict demo` first",
        )


def _network(log: Log, client: Client) -> Network:
    if log.meta_get(ADDRESSES) is not None:
        return Network.at(client, _addresses(log))
    balance = client.balance(client.address)
    if balance < NEEDED_WEI:
        raise NoFunds(
            f"the operator {client.address} has {balance} wei on chain {client.chain_id}",
            remedy=f"send it at least {NEEDED_WEI} wei to deploy the contracts, then run again",
            operator=client.address,
            chain_id=client.chain_id,
        )
    since = client.block_number()
    network = deploy_network(client)
    genesis = genesis_of(client)
    remember(log, HOME, client, network.addresses.anchor, since=since, genesis=genesis)
    log.meta_put(ADDRESSES, msgspec.json.encode(network.addresses))
    return network


def _addresses(log: Log) -> Addresses:
    stored = log.meta_get(ADDRESSES)
    if stored is None:
        raise NotFound(
            "this log was never connected to a chain",
            remedy="open it once as a node, with `veridict up`",
        )
    return msgspec.json.decode(stored, type=Addresses)
