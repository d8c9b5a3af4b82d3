"""What a feed is: pulled from a cursor, told what became of what it gave.

    start(cursor) → pull → (decide, log) → told → pull → …

A feed gives every payment at least once and may give it again; that each gets one decision is
the follower's doing (`services.feeding`), which asks the log by the payment's id. Nothing is
pulled before what was pulled has been decided and is on disk: that is the back-pressure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from veridict.core.nouns import Decision
from veridict.watch.feeds.normal import Event


@dataclass(frozen=True, slots=True)
class Arrived:
    """A payment. `cursor` is the place behind it: what `start` goes on from."""

    cursor: str
    event: Event


@dataclass(frozen=True, slots=True)
class Dropped:
    """`count` things that are no payments to decide, and why: `code` as in `normal.CODES`.

    `sample`: the start of the first of them as it came, for the record; at most SAMPLE characters.
    """

    cursor: str
    code: str
    why: str
    count: int = 1
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Retracted:
    """The source takes payment `id` back: its block is no longer on the chain."""

    cursor: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing to decide up to `cursor`, such as an empty block."""

    cursor: str


Item = Arrived | Dropped | Retracted
SAMPLE = 512


def sample_of(data: bytes | str) -> str:
    """The beginning of what came, as text that can be written down whatever it was."""
    text = data[: 4 * SAMPLE].decode(errors="replace") if isinstance(data, bytes) else data
    return text[:SAMPLE].encode(errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item; durable when told.

    `index`: of the payment's prediction in the log. `again`: it stood there before. `refused`:
    why an arrived payment was not decided, a drop's code; None for one that was.
    """

    item: Item
    decision: Decision | None = None
    index: int | None = None
    again: bool = False
    refused: str | None = None
    reasons: tuple[str, ...] = ()


class Feed(Protocol):
    """One source. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Stable: the cursor is kept under it."""

    @property
    def live(self) -> bool:
        """Whether the clock judges its times; a replay of the past is not live."""

    @property
    def ended(self) -> bool:
        """Whether no more will come, ever: a file is read to its end."""

    def start(self, cursor: str) -> None:
        """Go on behind `cursor`; "" where the feed has never been followed."""

    def pull(self, most: int, wait_s: float) -> Sequence[Item | Passed]:
        """Up to `most` items in the source's order; none if none came within `wait_s`.

        Raises OperatorError while the source cannot be reached: pulled again later.
        """

    def told(self, outcomes: Sequence[Outcome]) -> None:
        """What was pulled is decided, and the cursor behind it is stored: acknowledge it."""

    def close(self) -> None: ...
