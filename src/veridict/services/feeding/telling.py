"""What people see of the feeds: how far each was followed, and what was not decided, by why."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from veridict.ledger.view import LogView
from veridict.services.feeding.follow import NAMES, place_of
from veridict.services.feeding.records import FeedRecord
from veridict.services.feeding.tally import Tally
from veridict.services.records import decode
from veridict.watch.feeds.normal import CODES

REPLAY = 8192


@dataclass(frozen=True, slots=True)
class RefusedView:
    """How many were not decided under one code, and what it means."""

    code: str
    count: int
    means: str


@dataclass(frozen=True, slots=True)
class FeedView:
    """`time_ms` when the cursor was last kept; `index` of the last record of what was refused."""

    name: str
    cursor: str
    time_ms: int
    index: int | None
    refused: list[RefusedView]


def feed_views(log: LogView, tallies: dict[str, Tally]) -> list[FeedView]:
    stored = log.meta_get(NAMES)
    known = msgspec.json.decode(stored, type=list[str]) if stored else []
    return [_view(log, name, tallies.get(name)) for name in sorted({*known, *tallies})]


def tallies_of(log: LogView) -> dict[str, Tally]:
    """By feed, what the log's records say: for readers without a node."""
    found: dict[str, Tally] = {}
    for index, body in enumerate(log.bodies()):
        if body[:1] != b"{" or b'"kind":"feed"' not in body:
            continue
        record = decode(body)
        if isinstance(record, FeedRecord):
            found.setdefault(record.feed, Tally()).see(index, record)
    return found


def _view(log: LogView, name: str, tally: Tally | None) -> FeedView:
    place = place_of(log, name, tally)
    counts = sorted(tally.counts.items(), key=lambda pair: -pair[1]) if tally else []
    return FeedView(
        name,
        place.cursor,
        place.time_ms,
        tally.index if tally else None,
        [RefusedView(code, count, CODES.get(code, "")) for code, count in counts],
    )
