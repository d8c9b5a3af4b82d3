"""Bounded tables of one record a key: what is longest unused makes room, exactly.

    SHELF  slots  int64[S]     row of a key or EMPTY; open addressing, S a power of two
           keys   int64[R]    the key of each row
           links  int64[R, 2]  the next older and the next newer row in the order of use
           ends   int64[3]     the oldest row, the newest, rows in use

A table doubles until its limit. Neither that nor the size of a batch changes what is remembered.
Kernels in other files compile these functions in: touch those files when this one changes, since
Numba's cache looks only at the file of the function that is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from veridict.watch.arrays import I64
from veridict.watch.features.kernel import EMPTY, compiled

Rows = NDArray[np.void]
OLDER, NEWER = 0, 1
OLDEST, NEWEST, USED = 0, 1, 2
FIRST_ROWS = 64


class Shelf(NamedTuple):
    slots: I64
    keys: I64
    links: I64
    ends: I64


def empty_shelf(rows: int) -> Shelf:
    slots = 1 << (2 * rows - 1).bit_length()
    return Shelf(
        np.full(slots, EMPTY, np.int64),
        np.zeros(rows, np.int64),
        np.full((rows, 2), EMPTY, np.int64),
        np.array([EMPTY, EMPTY, 0]),
    )


@compiled
def home(key: int, slots: int) -> int:
    """Where the search for `key` begins: Fibonacci hashing, 2^64 / golden ratio."""
    spread = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    at: int = np.int64((spread >> np.uint64(20)) & np.uint64(slots - 1))  # type: ignore[assignment]
    return at


@compiled
def slot_of(shelf: Shelf, key: int) -> int:
    """The slot that holds `key`, or the free one where it belongs."""
    slots = len(shelf.slots)
    at = home(key, slots)
    while shelf.slots[at] != EMPTY and shelf.keys[shelf.slots[at]] != key:
        at = (at + 1) & (slots - 1)
    return at


@compiled
def find(shelf: Shelf, key: int) -> int:
    """The row of `key`, or EMPTY. Changes nothing."""
    return int(shelf.slots[slot_of(shelf, key)])


@compiled
def unlink(shelf: Shelf, row: int) -> None:
    older, newer = shelf.links[row, OLDER], shelf.links[row, NEWER]
    if older == EMPTY:
        shelf.ends[OLDEST] = newer
    else:
        shelf.links[older, NEWER] = newer
    if newer == EMPTY:
        shelf.ends[NEWEST] = older
    else:
        shelf.links[newer, OLDER] = older


@compiled
def link_newest(shelf: Shelf, row: int) -> None:
    newest = shelf.ends[NEWEST]
    shelf.links[row, OLDER] = newest
    shelf.links[row, NEWER] = EMPTY
    if newest == EMPTY:
        shelf.ends[OLDEST] = row
    else:
        shelf.links[newest, NEWER] = row
    shelf.ends[NEWEST] = row


@compiled
def vacate(shelf: Shelf, key: int) -> None:
    """Take `key` out of the slots, moving back those that were pushed on by it."""
    slots = len(shelf.slots)
    hole = slot_of(shelf, key)
    at = hole
    while True:
        at = (at + 1) & (slots - 1)
        if shelf.slots[at] == EMPTY:
            break
        wanted = home(shelf.keys[shelf.slots[at]], slots)
        if ((at - wanted) & (slots - 1)) >= ((at - hole) & (slots - 1)):
            shelf.slots[hole] = shelf.slots[at]
            hole = at
    shelf.slots[hole] = EMPTY


@compiled
def take(shelf: Shelf, key: int) -> tuple[int, bool]:
    """The row of `key`, now the newest; True if it is new there and its record must be blanked."""
    at = slot_of(shelf, key)
    row = shelf.slots[at]
    if row != EMPTY:
        if shelf.ends[NEWEST] != row:
            unlink(shelf, row)
            link_newest(shelf, row)
        return int(row), False
    if shelf.ends[USED] < len(shelf.keys):
        row = shelf.ends[USED]
        shelf.ends[USED] += 1
    else:
        row = shelf.ends[OLDEST]
        unlink(shelf, row)
        vacate(shelf, shelf.keys[row])
        at = slot_of(shelf, key)
    shelf.keys[row] = key
    shelf.slots[at] = row
    link_newest(shelf, row)
    return int(row), True


@compiled
def seat(shelf: Shelf) -> None:
    """Put every row in use into the slots, which must be empty."""
    for row in range(shelf.ends[USED]):
        shelf.slots[slot_of(shelf, shelf.keys[row])] = row


class Records:
    """A shelf with a record in each row; `blank` is what a new key starts with.

    A key keeps its row until it is forgotten, also when the table grows or is restored.
    """

    def __init__(self, blank: Rows, limit: int) -> None:
        self.blank, self.limit = blank, limit
        self.shelf = empty_shelf(min(limit, FIRST_ROWS))
        self.rows = np.repeat(blank, len(self.shelf.keys))

    @property
    def used(self) -> int:
        return int(self.shelf.ends[USED])

    @property
    def free(self) -> int:
        """Keys that can still come before the table must grow; without bound at the limit."""
        rows = len(self.rows)
        return rows - self.used if rows < self.limit else 1 << 62

    @property
    def size_bytes(self) -> int:
        return self.rows.nbytes + sum(array.nbytes for array in self.shelf)

    def grow(self) -> None:
        self._load(self.dump(), 2 * len(self.rows))

    def dump(self) -> tuple[I64, I64, I64, Rows]:
        """Keys, links, ends and records of the rows in use."""
        n, shelf = self.used, self.shelf
        return shelf.keys[:n], shelf.links[:n].reshape(-1), shelf.ends, self.rows[:n]

    def kinds(self) -> tuple[Any, ...]:
        """The types of what `dump` gives."""
        return np.int64, np.int64, np.int64, self.blank.dtype

    def load(self, dumped: Sequence[Any]) -> None:
        used = len(dumped[0])
        self._load(dumped, max(FIRST_ROWS, 1 << max(0, used - 1).bit_length()))

    def _load(self, dumped: Sequence[Any], room: int) -> None:
        keys, links, ends, rows = dumped
        shelf = empty_shelf(min(room, self.limit))
        shelf.keys[: len(keys)] = keys
        shelf.links[: len(keys)] = links.reshape(-1, 2)
        shelf.ends[:] = ends
        grown = np.repeat(self.blank, len(shelf.keys))
        grown[: len(rows)] = rows
        seat(shelf)
        self.shelf, self.rows = shelf, grown
