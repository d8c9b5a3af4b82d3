"""What anchoring needs of a log: what waits for an anchor, a head to anchor, and where to note it.

A note of an anchor is itself a record, which the next anchor covers. Notes alone are no
reason to anchor: two places would else anchor each other's notes for ever.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from veridict.core.energy import Meter
from veridict.core.errors import VeridictError
from veridict.core.nouns import Anchor
from veridict.core.ports import Clock
from veridict.ledger.log import Entry, Log
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.services.energy import ANCHOR
from veridict.services.records import (
    AnchorRecord,
    JsonRecord,
    LostAnchorRecord,
    decode,
    encode,
)


@dataclass(slots=True)
class Journal:
    """One log and its clock. `notes` are the indexes of anchors' notes, rising, kept by `add`."""

    log: Log
    clock: Clock
    add: Callable[[JsonRecord], int]
    sign: Callable[[], SignedCheckpoint]
    notes: Sequence[int] = ()
    meter: Meter = field(default_factory=Meter)

    @classmethod
    def plain(cls, log: Log, clock: Clock) -> Journal:
        """Of a log that nobody else writes to meanwhile."""

        def add(record: JsonRecord) -> int:
            return log.append([Entry(encode(record), None)]).first_index

        return cls(log, clock, add, log.checkpoint)

    def spending(self) -> AbstractContextManager[None]:
        """What anchors cost, looking and waiting included."""
        return self.meter.spending(ANCHOR, 0)

    def waiting(self, covered: int) -> int:
        """How many records lie behind the first `covered`, notes of anchors not counted."""
        notes = len(self.notes) - bisect_left(self.notes, covered)
        return max(0, self.log.size - covered - notes)

    def span_ms(self, covered: int) -> tuple[int, int] | None:
        """When the first and the last record came that wait behind `covered`; None if none does."""
        oldest = self._first_time(range(covered, self.log.size))
        newest = self._first_time(range(self.log.size - 1, covered - 1, -1))
        return None if oldest is None or newest is None else (oldest, newest)

    def _first_time(self, indices: Iterable[int]) -> int | None:
        """The time of the first of `indices` that is no note of an anchor."""
        for index in indices:
            at = bisect_left(self.notes, index)
            if at < len(self.notes) and self.notes[at] == index:
                continue
            try:
                record = decode(self.log.body(index))
            except VeridictError:  # damaged: the audit names it, and it waits all the same
                return self.clock()
            if not isinstance(record, AnchorRecord | LostAnchorRecord):
                return record.time_ms
        return None

    def head_beyond(self, size: int, offered: SignedCheckpoint | None) -> SignedCheckpoint:
        """`offered` (which witnesses cosigned), or a new head, of more than `size` records."""
        head = offered if offered is not None and offered.size > size else self.sign()
        return head if head.size > size else self.log.checkpoint()

    def note(self, anchor: Anchor) -> None:
        """The record first: whoever is killed in between writes it twice, and lies nowhere."""
        self.add(AnchorRecord(*_told(anchor), time_ms=self.clock()))
        self.log.put_anchor(anchor)
        self.meter.done(ANCHOR)

    def strike(self, anchor: Anchor) -> None:
        """The chain took `anchor` back."""
        self.add(LostAnchorRecord(*_told(anchor), time_ms=self.clock()))
        self.log.drop_anchor(anchor)


def _told(anchor: Anchor) -> tuple[int, str, int, str, str, int]:
    return (
        anchor.size, anchor.root.hex(), anchor.chain_id, anchor.contract, anchor.tx_hash,
        anchor.block_number,
    )  # fmt: skip
