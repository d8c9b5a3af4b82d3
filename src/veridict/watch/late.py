"""Labels that arrive after their rows: when each is known, which rows may come together till then.

A label is told only of a row that was seen; so rows that come together must lie closer than the
delay, or a label would have to be told in the midst of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from veridict.watch.arrays import I64
from veridict.watch.stream import Table


@dataclass(frozen=True, slots=True)
class Known:
    """Earlier rows with their labels; `known_s`: int64[rows], from when on each counts, s."""

    rows: Table[Any]
    known_s: I64


class Feedback(Protocol):
    """Where a live stream's labels come from. Asked in the order of time."""

    def together(self, times_s: I64) -> int:
        """How many of the next rows, at least one, come before it must be asked again."""

    def due(self, now_s: int) -> Known | None:
        """What became known since it was asked, up to `now_s`."""


class Unlabelled:
    """Nobody ever tells how it ended."""

    def together(self, times_s: I64) -> int:
        return len(times_s)

    def due(self, now_s: int) -> Known | None:
        return None


class DelayedLabels:
    """History with labels, told as investigators would: each `delay_s` seconds after its row.

    `told`: rows from the first on whose labels the extractor has already.
    """

    def __init__(self, rows: Table[Any], delay_s: int, told: int = 0) -> None:
        self._rows, self._times_s = rows, rows.times_s
        self._delay_s, self._told = delay_s, told

    def together(self, times_s: I64) -> int:
        return together(times_s, self._delay_s)

    def due(self, now_s: int) -> Known | None:
        start = self._told
        self._told = int(np.searchsorted(self._times_s, now_s - self._delay_s, side="right"))
        if self._told <= start:
            self._told = start
            return None
        rows = self._rows.slice(start, self._told)
        return Known(rows, rows.times_s + self._delay_s)


def together(times_s: I64, delay_s: int) -> int:
    """How many rows, at least one, lie closer to the first than `delay_s`."""
    return max(1, int(np.searchsorted(times_s, times_s[0] + delay_s, side="left")))


def parts(rows: Table[Any], size: int, feedback: Feedback) -> Iterator[Table[Any]]:
    """Consecutive slices of `size` rows or fewer, as `feedback` allows."""
    start = 0
    while start < len(rows):
        part = rows.slice(start, start + size)
        part = part.slice(0, feedback.together(part.times_s))
        yield part
        start += len(part)
