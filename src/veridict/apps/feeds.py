"""Feeds by what people write on a command line, and the watcher that decides what they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veridict.apps.settings import Settings
from veridict.chain.http import HttpRpc
from veridict.core.errors import BadInput
from veridict.core.progress import Progress, silent
from veridict.services.feeding.means import means_of
from veridict.services.feeding.posting import Posting
from veridict.services.feeding.watcher import Watcher
from veridict.services.node import Node
from veridict.watch.detectors.base import Detector
from veridict.watch.feeds.assets import Assets, read_assets
from veridict.watch.feeds.base import Feed
from veridict.watch.mapping import parse_mapping
from veridict.watch.scenario import Scenario

RULES = "rules.yaml"  # in the home: rules of people, in force wherever payments are followed
ASSETS = "assets.txt"  # in the home: NAME=DECIMALS:WORTH a line, as with --asset
ISO = "iso20022:"
OWN_CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a source is followed; what does not concern it is left alone."""

    assets: Assets = field(default_factory=Assets)
    mapping: str = ""
    currency: str = "XXX"
    speed: float = 0.0
    confirmations: int = 0
    since: int | None = None
    tokens: tuple[str, ...] = ()
    pending: bool = False
    once: bool = False


def feed_of(source: str, ways: Ways, node: Node, opened: ExitStack) -> Feed:
    """The feed that `source` names; `opened` closes what it needs. Raises BadInput, NotFound."""
    if source == OWN_CHAIN or source.startswith(("http://", "https://")):
        from veridict.watch.feeds.evm import ChainFeed

        own = source == OWN_CHAIN
        rpc = node.network.client.rpc if own else opened.enter_context(HttpRpc(source))
        return ChainFeed(
            rpc,
            ways.assets,
            confirmations=ways.confirmations,
            since=ways.since,
            tokens=ways.tokens,
            pending=ways.pending,
            until_head=ways.once,
        )
    path = Path(source.removeprefix(ISO)).expanduser()
    if source.startswith(ISO) or path.suffix == ".xml" or path.is_dir():
        from veridict.watch.feeds.iso20022 import Iso20022Feed

        return Iso20022Feed(path, ways.assets, once=ways.once)
    if "://" in source:
        raise BadInput(
            f"{source!r} is no source of payments",
            remedy="name a file, a folder of pacs.008 messages, an RPC URL, or `chain`",
        )
    from veridict.watch.feeds.files import FileFeed

    mapping = parse_mapping(ways.mapping)
    return FileFeed(path, ways.assets, mapping, currency=ways.currency, speed=ways.speed)


def assets_of(settings: Settings, given: Sequence[str] = ()) -> Assets:
    """Those of the home, and those `given`, which count more. Raises BadInput."""
    file = settings.home / ASSETS
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    told = (line.partition("#")[0].strip() for line in lines)
    return read_assets([*filter(None, told), *given])


def judges(settings: Settings, rules: Path | None = None) -> Callable[[], tuple[Detector, ...]]:
    """The detectors that need neither labels nor a past, and the rules: given, or of the home."""
    from veridict.watch.detectors.roster import ready
    from veridict.watch.rules.ruleset import read_rules

    at_home = settings.home / RULES
    file = rules or (at_home if at_home.is_file() else None)
    own: tuple[Detector, ...] = () if file is None else (read_rules(file),)
    return lambda: (*ready(), *own)


def nobody() -> tuple[Detector, ...]:
    """The model alone."""
    return ()


def watcher_of(
    node: Node,
    settings: Settings,
    scenario: Scenario[Any],
    detectors: Callable[[], Sequence[Detector]],
    progress: Progress = silent,
) -> Watcher:
    """For the model at work on `node`. Raises NotFound without one, BadInput for another's."""
    from veridict.watch.lists import shipped_lists

    names = node.feature_names(node.at_work().model.id)
    make = means_of(
        names, detectors, label_delay_s=scenario.label_delay_s, labelled=shipped_lists()
    )
    return Watcher(node, settings.home, make, progress=progress)


def posting_of(node: Node, settings: Settings, scenario: Scenario[Any]) -> Posting:
    """Who decides the payments that `node` is asked about."""
    detectors = judges(settings)
    return Posting(node, lambda: watcher_of(node, settings, scenario, detectors))
