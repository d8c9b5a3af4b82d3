"""What a feed gave and was not decided: counted by why, and logged with its beginnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from veridict.core.nouns import Payload
from veridict.services.feeding.records import DropWords, FeedRecord, FeedWords
from veridict.services.sayings import said, saying
from veridict.watch.feeds.base import SAMPLE, Arrived, Dropped, Item, Outcome, Retracted, sample_of

SAMPLES = 16  # of what was dropped, logged for one batch; retractions are all named
Note = tuple[FeedRecord, Payload]


def dropped_note(
    feed: str, items: Sequence[Item], outcomes: Sequence[Outcome | None], now_ms: int
) -> Note | None:
    """The record of what of `items` was refused; None where nothing was."""
    refused = [outcome for outcome in outcomes if outcome is not None and outcome.refused]
    if not refused:
        return None
    counts: Counter[str] = Counter()
    words: list[DropWords] = []
    samples = 0
    for outcome in refused:
        item = outcome.item
        counts[outcome.refused or ""] += item.count if isinstance(item, Dropped) else 1
        samples += not isinstance(item, Retracted)
        if isinstance(item, Retracted) or samples <= SAMPLES:
            words.append(_words(outcome))
    payload = saying(
        FeedWords(words),
        name=f"dropped by {feed} before {items[-1].cursor}"[:SAMPLE],
        subject=subject_of(feed),
        time_ms=now_ms,
    )
    cursor = items[-1].cursor
    return FeedRecord(feed, cursor, dict(counts), said(payload), now_ms), payload


def subject_of(feed: str) -> str:
    """Under whose key the beginnings are sealed: erase it to forget them all."""
    return f"feed {feed}"


def _words(outcome: Outcome) -> DropWords:
    item, code = outcome.item, outcome.refused or ""
    if isinstance(item, Arrived):
        paid = item.event.transfer
        told = f"{paid.payer} → {paid.payee} {paid.amount} {paid.asset} at {item.event.time_s}"
        return DropWords(code, item.event.id, "", sample_of(told))
    if isinstance(item, Dropped):
        return DropWords(code, "", sample_of(item.why), sample_of(item.sample))
    return DropWords(code, item.id, sample_of(item.why), "")
