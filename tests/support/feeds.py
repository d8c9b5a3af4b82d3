"""Payments for tests of feeds: made, given by a small true feed, read from the log again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veridict.services.feeding.means import means_of
from veridict.services.feeding.memory import Means
from veridict.services.feeding.watcher import Watcher
from veridict.services.node import Node
from veridict.services.records import is_prediction
from veridict.watch.detectors.base import Detector
from veridict.watch.detectors.roster import ready
from veridict.watch.feeds.base import Arrived, Item, Outcome
from veridict.watch.feeds.normal import Event, event

START_S = 1_500_000_000  # behind the shipped payments


def paid(
    id: str, *, at: int = 0, payer: str = "ann", payee: str = "bob", amount: int = 1_000
) -> Event:
    return event(
        id, START_S + at, payer=payer, payee=payee, amount=amount, asset="XXX",
        amount_minor=amount, source="test",
    )  # fmt: skip


def arrivals(events: Iterable[Event]) -> list[Item]:
    return [Arrived(str(number), one) for number, one in enumerate(events, start=1)]


@dataclass(slots=True)
class ListFeed:
    """A true `Feed` over a list of items; keeps what it is told."""

    items: Sequence[Item]
    name: str = "list"
    live: bool = False
    ended: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    _at: int = 0

    def start(self, cursor: str) -> None:
        self._at = int(cursor or 0)

    def pull(self, most: int, wait_s: float) -> Sequence[Item]:
        items = self.items[self._at : self._at + most]
        self._at += len(items)
        self.ended = not items
        return items

    def told(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes += outcomes

    def close(self) -> None:
        return


def made_of(node: Node, detectors: Callable[[], Sequence[Detector]] = ready) -> Callable[[], Means]:
    names = node.feature_names(node.at_work().model.id)
    return means_of(names, detectors)


def watcher_of(
    node: Node, home: Path, detectors: Callable[[], Sequence[Detector]] = ready
) -> Watcher:
    return Watcher(node, home, made_of(node, detectors))


def decided_ids(node: Node, start: int = 0) -> Counter[str]:
    """How many predictions stand in the log under each id."""
    found: Counter[str] = Counter()
    log = node.log
    pairs = zip(log.bodies(start), log.payloads(start), strict=True)
    for body, payload in pairs:
        if is_prediction(body) and payload is not None:
            found[payload.request.id] += 1
    return found
