"""Payloads as they lie in the store: sealed, opened one page at a time, deletable.

`b""` stands for what is there and cannot be opened: its key is not in this vault, or it
was altered. `decode_payload` refuses it, and an audit names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from veridict.core.errors import StorageFailed
from veridict.core.ports import Sealed, Vault
from veridict.ledger.store import Store

_PAGE = 1024  # rows read and opened at a time


class Boxes:
    """The payload table of one log."""

    def __init__(self, store: Store, vault: Vault | None) -> None:
        self._store = store
        self._vault = vault

    def one(self, index: int) -> bytes | None:
        """None where there is none. Raises StorageFailed where there is no vault to open it."""
        return dict(self._opened("idx = ?", (index,))).get(index)

    def some(self, indices: Sequence[int]) -> dict[int, bytes]:
        """Of up to 1000 records, those that have one."""
        marks = ", ".join("?" * len(indices))
        return dict(self._opened(f"idx IN ({marks})", tuple(indices))) if indices else {}

    def scan(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, payload) of those from start to stop - 1 that are there, in order."""
        while start < stop:
            page = self._opened("idx >= ? AND idx < ? ORDER BY idx LIMIT ?", (start, stop, _PAGE))
            if not page:
                return
            yield from page
            start = page[-1][0] + 1

    def under(self, slot: int) -> list[tuple[int, int, int]]:
        """(index, slot, tag) of all that is sealed under the vault's key `slot`."""
        sql = "SELECT idx, slot, tag FROM payload WHERE slot = ? ORDER BY idx"
        return [(row[0], row[1], row[2]) for row in self._store.rows(sql, (slot,))]

    def _opened(self, which: str, args: Sequence[Any]) -> list[tuple[int, bytes]]:
        rows = self._store.rows(f"SELECT idx, slot, tag, payload FROM payload WHERE {which}", args)
        if not rows:
            return []
        if self._vault is None:
            raise StorageFailed(
                "the log was opened without its vault, and payloads are sealed",
                remedy="open it with the vault that sealed them",
            )
        plain = self._vault.open([Sealed(slot, tag, box) for _, slot, tag, box in rows])
        return [(row[0], data or b"") for row, data in zip(rows, plain, strict=True)]
