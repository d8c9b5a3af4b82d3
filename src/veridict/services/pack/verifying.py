"""A pack in a stranger's hands: whose it is, whether it is whole, and the ten answers.

Nothing in a pack is believed because the pack says it. What the stranger knows from elsewhere
he brings: the log's key, the operator's address, a chain, the data, heads he saw before. The
contracts are known by their code, an operator's anchors by his address, a key by being given
or by those anchors. What rests on the pack's own word is told as such, and the answer then
stands "in part".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from veridict.chain.addresses import checksum
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.finality import Finality
from veridict.core.errors import EvidenceError, WrongChain
from veridict.core.nouns import Finding
from veridict.core.ports import Rpc
from veridict.core.progress import Progress, silent
from veridict.ledger.published import PublishedLog
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Verifier
from veridict.proofs.tlog_policy import Policy
from veridict.services.anchoring.places import Deployed, Elsewhere, Place, log_key
from veridict.services.deploy import Network
from veridict.services.pack.answers import Answer, Case, Data, Standing, Told, count
from veridict.services.pack.examine import Examination, examine
from veridict.services.pack.layout import About
from veridict.services.pack.measured import Grouping
from veridict.services.pack.reading import Pack, note

WHOSE = "Is this pack whole, and whose is it?"
KNOWN_CODE = ("Registry", "Anchor", "Stakes", "Judge")


@dataclass(frozen=True, slots=True)
class Brought:
    """What the auditor knows without the pack. Empty: only what agrees with itself is checked."""

    keys: tuple[Verifier, ...] = ()
    operator: str | None = None
    rpcs: tuple[Rpc, ...] = ()
    earlier: bool = False
    data: Data | None = None
    grouping: Grouping | None = None
    policy: Policy | None = None
    heads: tuple[SignedCheckpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`whose` is answer 0, on the pack itself; the ten follow."""

    about: About
    sha256: str
    whose: Answer
    examination: Examination

    @property
    def answers(self) -> tuple[Answer, ...]:
        return (self.whose, *self.examination.answers)

    @property
    def standing(self) -> Standing:
        standings = {answer.standing for answer in self.answers}
        if Standing.FAILS in standings:
            return Standing.FAILS
        return Standing.HOLDS if standings == {Standing.HOLDS} else Standing.IN_PART


@dataclass(slots=True)
class _Whose:
    evidence: list[Told] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)


def verify_pack(pack: Pack, brought: Brought, progress: Progress = silent) -> Report:
    """Raises only where chain or data cannot be read; everything else is in the report."""
    whose = _Whose()
    key = _key(pack, brought, whose)
    operator = _operator(pack.about, brought, whose)
    network, elsewhere = _chains(pack, brought, key, whose)
    members = pack.check_members(key, progress)
    pack.log.verifier = key
    pack.log.policy = brought.policy or pack.log.own_policy()
    try:
        pack.head.verify(key, pack.about.origin)
    except EvidenceError as problem:
        note(whose.findings, problem, "log/checkpoint")
    case = Case(
        log=pack.log,
        shelf=pack.models,
        operator=operator,
        opened=range(*pack.about.opened),
        network=network,
        since=pack.about.since,
        elsewhere=elsewhere,
        earlier=brought.earlier,
        guards=[] if network is None else _guards(pack.about, network, whose),
        data=brought.data,
        grouping=brought.grouping,
        claims=pack.claims(),
        published=lambda: _published(pack).check(),
        histories=(lambda: _histories(pack, brought.heads, key)) if brought.heads else None,
        histories_known=len(brought.heads),
    )
    examination = examine(case, progress)
    _vouched(pack, brought, examination, network, whose)
    whose.evidence.insert(0, Told("members", f"{members:,}, compared with their signed digests"))
    answer = Answer(
        0, WHOSE, members, tuple(whose.evidence),
        (*whose.findings, *pack.findings), tuple(whose.unasked),
    )  # fmt: skip
    return Report(pack.about, pack.archive.sha256(), answer, examination)


def _key(pack: Pack, brought: Brought, whose: _Whose) -> Verifier:
    """The key that signatures are held to: a given one of this log, else the pack's own."""
    own = pack.own_key
    if not brought.keys or own in brought.keys:
        return own
    of_this_log = [key for key in brought.keys if key.name == own.name]
    due = ", ".join(key.vkey for key in brought.keys)
    whose.findings.append(Finding("key.other", "the log's key", due, own.vkey))
    return of_this_log[0] if of_this_log else own


def _operator(about: About, brought: Brought, whose: _Whose) -> str:
    if brought.operator is None:
        return about.operator
    operator = checksum(brought.operator)
    if operator != about.operator:
        whose.findings.append(Finding("operator.other", "the pack", operator, about.operator))
    return operator


def _chains(
    pack: Pack, brought: Brought, key: Verifier, whose: _Whose
) -> tuple[Network | None, list[Elsewhere]]:
    """The home chain and the others, by their ids.

    Raises WrongChain where a chain is none of the pack's, or nothing stands at its addresses.
    """
    about = pack.about
    clients = {client.chain_id: client for client in map(Client, brought.rpcs)}
    home = clients.pop(about.home.chain_id, None)
    elsewhere = []
    for known in about.places:
        client = clients.pop(known.chain_id, None)
        if client is None:
            whose.unasked.append(f"its anchors on {known.name}, chain {known.chain_id}: not given")
            continue
        elsewhere.append(Elsewhere(known.name, _place(known, client, key)))
        if not _has_code(client, known.contract, "Anchor"):
            whose.unasked.append(f"what {known.contract} is: its code is no Anchor of this release")
        told = f"{known.contract} on chain {known.chain_id}, anchored by {known.operator}"
        whose.evidence.append(Told(known.name, told))
        if known.operator != brought.operator:
            whose.unasked.append(
                f"that {known.operator} anchors for the operator on {known.name}: the pack's word"
            )
    if clients:
        raise WrongChain(
            f"the pack tells of no chain {next(iter(clients))}",
            remedy=f"give the URL of chain {about.home.chain_id}, or leave the chain out",
            expected=about.home.chain_id,
            found=next(iter(clients)),
        )
    return (None if home is None else _home(home, about, whose)), elsewhere


def _home(client: Client, about: About, whose: _Whose) -> Network | None:
    """None where the pack names contracts that are none: then there is nobody to ask."""
    network = Network.at(client, about.home)
    places = about.home
    nothing = [a for a in (places.registry, places.stakes, places.judge) if not client.code(a)]
    for address in nothing:
        where = f"{address} on chain {places.chain_id}"
        whose.findings.append(Finding("contract.none", where, "a contract", "no code"))
    return None if nothing else network


def _place(known: Deployed, client: Client, key: Verifier) -> Place:
    place = Place(
        name=known.name,
        contract=Contract(client, Artifact.load("Anchor"), known.contract),
        operator=known.operator,
        key=log_key(key.vkey),
        chain_id=known.chain_id,
        genesis=known.genesis,
        since=known.since,
        final_block=Finality(client),
    )
    place.confirm()
    return place


def _guards(about: About, network: Network, whose: _Whose) -> list[Contract]:
    """Those whose code is a guard's: another could say anything."""
    guards = []
    for address in about.guards:
        if _has_code(network.client, address, "Guard"):
            guards.append(Contract(network.client, Artifact.load("Guard"), address))
        else:
            whose.unasked.append(f"what {address} did: its code is no guard of this release")
    return guards


def _vouched(
    pack: Pack, brought: Brought, done: Examination, network: Network | None, whose: _Whose
) -> None:
    """Who says that this key, this operator and these contracts are the right ones."""
    given = pack.own_key in brought.keys
    anchored = done.anchored
    if given:
        whose.evidence.append(Told("key", f"{pack.own_key.vkey}: given by you"))
    elif anchored:
        told = f"vouched for by {count(anchored, 'anchor')} of {pack.about.operator} on chain"
        whose.evidence.append(Told("key", f"{pack.own_key.vkey}: {told}"))
    else:
        whose.evidence.append(Told("key", pack.own_key.vkey))
        whose.unasked.append("whose key this is: the pack's own word (give --vkey, or a chain)")
    if brought.operator is not None:
        whose.evidence.append(Told("operator", f"{pack.about.operator}: named by you"))
    else:
        whose.evidence.append(Told("operator", pack.about.operator))
        if network is not None or not given:
            whose.unasked.append("that this is the operator: the pack's own word (--operator)")
    if network is not None:
        _known_contracts(network, whose)


def _known_contracts(network: Network, whose: _Whose) -> None:
    places = network.addresses
    found = zip(
        KNOWN_CODE, (places.registry, places.anchor, places.stakes, places.judge), strict=True
    )
    for name, address in found:
        if _has_code(network.client, address, name):
            told = f"{address} on chain {places.chain_id}: the code of this release"
            whose.evidence.append(Told(name.lower(), told))
        else:
            whose.unasked.append(f"what {address} is: its code is no {name} of this release")


def _has_code(client: Client, address: str, name: str) -> bool:
    """Vyper puts immutables behind the code, so that the beginning is what is compared."""
    runtime = Artifact.load(name).runtime
    return bool(runtime) and client.code(address).startswith(runtime)


def _published(pack: Pack) -> PublishedLog:
    """The files of the log as any reader has them; its signature is checked beside."""
    return PublishedLog(pack.fetch, lambda signed: signed.checkpoint)


def _histories(pack: Pack, heads: Sequence[SignedCheckpoint], key: Verifier) -> list[Finding]:
    """Each head seen elsewhere must be signed by the log, and this log must extend it."""
    findings: list[Finding] = []
    for number, head in enumerate(heads, 1):
        try:
            known = head.verify(key, key.name)
            _published(pack).extends(known)
        except EvidenceError as problem:
            code = str(problem.facts["finding"])
            where = f"head {number} seen elsewhere, of {head.size} records"
            findings.append(Finding(code, where, "a head that this log extends", problem.message))
    return findings
