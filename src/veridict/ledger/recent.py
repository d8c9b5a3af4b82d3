"""The newest requests, known in memory until the lookup index has them.

The index is a file, and costs more to write than the log itself: whoever asks at every append
whether a request is known must not wait for it. So both are asked, and the file follows later.
"""

from __future__ import annotations

from collections.abc import Iterable

from veridict.ledger.store import Store

_PAGE = 4096  # rows read at a time
_KEPT_LONGER = 8192  # records that the index has before they are forgotten here, all at once


class Recent:
    """First indexes by tag (`core.ports.Sealed.tag`) of a log's last records."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._firsts: dict[int, int] = {}
        self._start = self._stop = 0

    def follow(self, start: int, stop: int) -> None:
        """From now on it knows the records `start` .. `stop` - 1, and maybe some before them."""
        if not self._start <= start <= self._stop <= stop:
            self.forget()
            self._start = self._stop = start
        for first in range(self._stop, stop, _PAGE):
            sql = "SELECT idx, tag FROM payload WHERE idx >= ? AND idx < ? ORDER BY idx"
            for index, tag in self._store.rows(sql, (first, min(stop, first + _PAGE))):
                self._firsts.setdefault(tag, index)
        self._stop = stop
        if start - self._start > _KEPT_LONGER:
            self._firsts = {tag: index for tag, index in self._firsts.items() if index >= start}
            self._start = start

    def firsts(self, tags: Iterable[int]) -> dict[int, int]:
        """Of those `tags` that it knows."""
        known = self._firsts
        return {tag: known[tag] for tag in tags if tag in known}

    def forget(self) -> None:
        """Everything: it is read again from the log."""
        self._firsts = {}
        self._start = self._stop = 0
