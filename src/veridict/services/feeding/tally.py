"""What the log says of one feed: how far it was followed, and what was not decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from veridict.services.feeding.records import FeedRecord


@dataclass(slots=True)
class Tally:
    """Folded from the feed's records; `index` and `cursor` are of the last one."""

    counts: Counter[str] = field(default_factory=Counter)
    index: int = -1
    cursor: str = ""
    time_ms: int = 0

    def see(self, index: int, record: FeedRecord) -> None:
        self.counts.update(record.counts)
        self.index, self.cursor, self.time_ms = index, record.cursor, record.time_ms
