"""What is logged of a feed beside its predictions.

    verdict   what detectors and rules say of the prediction that is the record before it
    feed      what of a feed was not decided, and why

The reasons and the beginnings of what was dropped are the records' payloads: `sayings`.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class VerdictRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="verdict"):
    """Of the record before this one, the prediction that commits to `request`.

    `decision` is the severest of the model's and the detectors'; `said` commits to VerdictWords.
    """

    request: str
    decision: Literal["review", "hold"]
    said: str
    time_ms: int


class FeedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="feed"):
    """Up to `cursor`, so many things that `feed` gave were not decided: `counts` by code.

    `said` commits to FeedWords: their beginnings. What was decided is in predictions.
    """

    feed: str
    cursor: str
    counts: dict[str, int]
    said: str
    time_ms: int


class AlertWords(msgspec.Struct, frozen=True):
    """What one detector or rule says; `strength` in thousandths orders, no more."""

    detector: str
    decision: str
    reason: str
    strength: int


class VerdictWords(msgspec.Struct, frozen=True):
    """Of a verdict: the alerts, severest first."""

    alerts: list[AlertWords]


class DropWords(msgspec.Struct, frozen=True):
    """One that was not decided. `id` of the payment, if it has one; `sample`: how it begins."""

    code: str
    id: str
    why: str
    sample: str


class FeedWords(msgspec.Struct, frozen=True):
    """Of a feed's record: the first of what was not decided."""

    drops: list[DropWords]
