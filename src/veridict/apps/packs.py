"""Packs at the edge: what a home exports, and what an auditor brings to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import msgspec

from veridict.apps.chains import home_since
from veridict.apps.settings import Settings
from veridict.apps.vaults import open_vault
from veridict.apps.wire import ADDRESSES
from veridict.apps.witnesses import policy_of, read_policy
from veridict.chain.addresses import address_bytes, checksum
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.core.errors import BadInput, EvidenceError, NotFound, VeridictError
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.models.card import ModelCard
from veridict.models.shelf import Shelf
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Verifier
from veridict.services.anchoring.places import HOME, remembered
from veridict.services.audit.source import Source
from veridict.services.deploy import Addresses
from veridict.services.node import GUARD
from veridict.services.pack.answers import Data
from veridict.services.pack.measured import Grouping
from veridict.services.pack.reading import Pack
from veridict.services.pack.verifying import Brought
from veridict.services.pack.writing import Exhibit
from veridict.services.records import ModelRecord, decode, is_prediction
from veridict.solutions.roster import grouping_of_data, scenario_of_data

CHUNK = 4096


@contextmanager
def open_exhibit(settings: Settings) -> Iterator[Exhibit]:
    """What a pack of this home is written from; needs no chain, works beside a running node.

    Raises NotFound where there is no log, or it was never connected to a chain.
    """
    home = settings.home
    if not (home / "log").is_dir():
        raise NotFound(
            f"{home} holds no log",
            remedy="name the home of a node with --home, or run `veridict demo` first",
        )
    vault = open_vault(settings, writable=False)
    with Log.open_readonly(home / "log", vault=vault, store=settings.store) as log:
        log.expect_witnesses(policy_of(settings))
        stored, guard = log.meta_get(ADDRESSES), log.meta_get(GUARD)
        if stored is None:
            raise NotFound(
                "this log was never connected to a chain",
                remedy="open it once as a node, with `veridict up`",
            )
        card = first_card(log)
        yield Exhibit(
            log=log,
            shelf=Shelf(home / "models"),
            signer=load_or_create_signer(home / "log", log.origin),
            operator=Keyring(home / "accounts.json").account("operator").address,
            home=msgspec.json.decode(stored, type=Addresses),
            since=home_since(log),
            places=tuple(place for place in remembered(log) if place.name != HOME),
            guards=(guard.decode(),) if guard else (),
            grouping=None if card is None else grouping_of_data(card.data_title),
        )


@contextmanager
def brought(
    pack: Pack,
    settings: Settings,
    *,
    rpcs: Sequence[str] = (),
    earlier: bool = False,
    vkeys: Sequence[str] = (),
    operator: str | None = None,
    policy: Path | None = None,
    known: Sequence[Path] = (),
    stream: Path | None = None,
    mapping: tuple[tuple[str, str], ...] = (),
    croissant: bytes | None = None,
) -> Iterator[Brought]:
    """Everything the auditor named, ready. Raises BadInput, BadStream, RpcUnavailable."""
    with ExitStack() as opened:
        card = first_card(pack.log)
        yield Brought(
            keys=tuple(Verifier.from_vkey(vkey) for vkey in vkeys),
            operator=None if operator is None else checksum(address_bytes(operator)),
            rpcs=tuple(opened.enter_context(HttpRpc(url)) for url in rpcs),
            earlier=earlier,
            data=None if card is None else _data(card, settings, stream, mapping, croissant),
            grouping=_grouping(card),
            policy=None if policy is None else read_policy(policy),
            heads=tuple(map(_head, known)),
        )


def first_card(log: Source) -> ModelCard | None:
    """Of the model registered first: it tells whose rows are decided."""
    for start in range(0, log.size, CHUNK):
        for _, body in log.records(start, min(start + CHUNK, log.size)):
            if not is_prediction(body):
                try:
                    record = decode(body)
                    if isinstance(record, ModelRecord):
                        return record.model_card()
                except VeridictError:
                    continue  # the audit names what cannot be read
    return None


def look() -> tuple[str, str]:
    """The dashboard's colours and its seal."""
    static = files("veridict.apps.web").joinpath("static")
    return (
        static.joinpath("css", "tokens.css").read_text(),
        static.joinpath("seal.svg").read_text().strip(),
    )


def _grouping(card: ModelCard | None) -> Grouping | None:
    return None if card is None else grouping_of_data(card.data_title)


def _data(
    card: ModelCard,
    settings: Settings,
    stream: Path | None,
    mapping: tuple[tuple[str, str], ...],
    croissant: bytes | None,
) -> Data | None:
    """The rows by the card's own title, where they are at hand; None where they are not."""
    try:
        scenario = scenario_of_data(
            card.data_title,
            stream=stream,
            mapping=mapping,
            data_root=settings.data,
            croissant=croissant,
        )
    except (BadInput, NotFound):
        if stream is not None:
            raise
        return None
    return Data(scenario, scenario.load())


def _head(path: Path) -> SignedCheckpoint:
    try:
        return SignedCheckpoint(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, EvidenceError) as problem:
        raise BadInput(
            f"{path.name} holds no signed checkpoint: {problem}",
            remedy="pass a checkpoint file as the log or a witness handed it out",
        ) from problem
