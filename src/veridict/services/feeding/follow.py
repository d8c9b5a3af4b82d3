"""The loop over one feed: pull → decide → keep the cursor → tell.

What was pulled is decided and on disk before more is pulled. The cursor is kept a little later: a
process that dies in between is given some payments again, and finds their decisions.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from veridict.core.errors import OperatorError, StorageFailed
from veridict.core.progress import Progress, Step, silent
from veridict.ledger.view import LogView
from veridict.services.feeding.tally import Tally
from veridict.services.node import Node
from veridict.watch.feeds.base import Feed, Item, Outcome, Passed

BATCH = 512
KEEP_EVERY_S = 1.0
NAMES = "feeds"  # where the names of all feeds ever followed are kept
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0


class Place(msgspec.Struct, frozen=True):
    """How far a feed was followed, when the log had `size` records."""

    cursor: str
    size: int
    time_ms: int


@dataclass(slots=True)
class Followed:
    """What one call of `follow` did. `refused` by code; `trouble`: why the feed is silent."""

    decided: Counter[str] = field(default_factory=Counter)
    again: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    seconds: float = 0.0
    trouble: str = ""

    @property
    def payments(self) -> int:
        return self.decided.total()

    def count(self, outcomes: Sequence[Outcome]) -> None:
        self.batches += 1
        for outcome in outcomes:
            if outcome.refused is not None:
                item = outcome.item
                self.refused[outcome.refused] += getattr(item, "count", 1)
            elif outcome.again:
                self.again += 1
            elif outcome.decision is not None:
                self.decided[outcome.decision.word] += 1


class Decider(Protocol):
    """A `Watcher`, or who makes one when it is needed."""

    def decide(self, feed: str, items: Sequence[Item], *, live: bool = True) -> list[Outcome]: ...


Told = Callable[[Followed, Sequence[Outcome]], None]


def follow(
    node: Node,
    watcher: Decider,
    feed: Feed,
    *,
    stop: Callable[[], bool] = lambda: False,
    most: int = BATCH,
    wait_s: float = 1.0,
    anchor_every: int = 10_000,
    told: Told = lambda so_far, outcomes: None,
    progress: Progress = silent,
) -> Followed:
    """Until the feed has ended or `stop()`. A live feed that cannot be reached is tried again.

    Raises StorageFailed and what is no trouble of the feed's; what was decided by then stands.
    """
    done, began, kept_s = Followed(), time.monotonic(), time.monotonic()
    _announce(node, feed.name)
    feed.start(place_of(node.log, feed.name, node.board.feeds.get(feed.name)).cursor)
    pause_s, cursor = _FIRST_PAUSE_S, ""
    while not stop() and not feed.ended:
        try:
            pulled = feed.pull(most, wait_s)
        except OperatorError as problem:
            if not feed.live or isinstance(problem, StorageFailed):
                raise
            done.trouble = problem.message
            progress(Step(None, f"{feed.name}: {problem.message}", done.payments, None))
            _rest(pause_s, stop)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            continue
        done.trouble, pause_s = "", _FIRST_PAUSE_S
        cursor = pulled[-1].cursor if pulled else cursor
        items = [one for one in pulled if not isinstance(one, Passed)]
        if items:
            outcomes = watcher.decide(feed.name, items, live=feed.live)
            feed.told(outcomes)
            done.count(outcomes)
            told(done, outcomes)
        now = time.monotonic()
        done.seconds = now - began
        if cursor and (now - kept_s >= KEEP_EVERY_S or feed.ended):
            _keep(node, feed.name, cursor)
            kept_s, cursor = now, ""
            progress(Step(None, f"{feed.name}: decided and logged", done.payments, None))
        if anchor_every and node.unanchored() >= anchor_every:
            node.anchor()
    if cursor:
        _keep(node, feed.name, cursor)
    return done


def place_of(log: LogView, feed: str, tally: Tally | None = None) -> Place:
    """Where `feed` goes on: behind the last cursor that was kept, or logged with a drop."""
    stored = log.meta_get(_key(feed))
    kept = Place("", 0, 0) if stored is None else msgspec.json.decode(stored, type=Place)
    if tally is not None and tally.index >= kept.size:
        return Place(tally.cursor, tally.index + 1, tally.time_ms)
    return kept


def _announce(node: Node, feed: str) -> None:
    with node.lock:  # others begin at the same moment
        stored = node.log.meta_get(NAMES)
        known = msgspec.json.decode(stored, type=list[str]) if stored else []
        if feed not in known:
            node.log.meta_put(NAMES, msgspec.json.encode([*known, feed]))


def _keep(node: Node, feed: str, cursor: str) -> None:
    place = Place(cursor, node.log.size, node.parts.clock())
    node.log.meta_put(_key(feed), msgspec.json.encode(place))


def _key(feed: str) -> str:
    return f"feed:{feed}"


def _rest(seconds: float, stop: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        time.sleep(min(0.1, seconds))
