"""The door to where a log is kept: rows in and out, nothing of trees or states.

    SqliteStore    a file beside the node, one writer; the default     ledger.sqlite
    PostgresStore  a database in which several nodes write one log     ledger.postgres

SQL is written once, in the subset that both speak: `?` for parameters, integers
of 64 bits, text and bytes; `put` where a row may be there already.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from veridict.core.errors import StorageFailed
from veridict.ledger.tiles import TILE_WIDTH, Tile, TreeEdge, load_edge
from veridict.proofs.merkle import HASH_BYTES

_PAGE = 1024  # rows read at a time by the iterators
_LEVELS = ", ".join(f"({level})" for level in range(8))  # 2^64 leaves have no more
# The last tile of each level, in one question.
_EDGE = f"""
WITH wanted (level) AS (VALUES {_LEVELS})
SELECT tile.level, tile.n, tile.hashes FROM wanted JOIN tile ON tile.level = wanted.level
 WHERE tile.n = (SELECT max(n) FROM tile AS other WHERE other.level = wanted.level)
"""


class Reads(Protocol):
    """What is durable; within a transaction, also what it wrote. Raises StorageFailed."""

    @abstractmethod
    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    def one(self, sql: str, args: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        rows = self.rows(sql, args)
        return rows[0] if rows else None

    def scan(self, table: str, start: int, stop: int) -> Iterator[list[tuple[int, bytes]]]:
        """(idx, value) of the rows with start <= idx < stop in pages, ordered; gaps stay gaps."""
        column = {"record": "body", "payload": "payload"}[table]
        sql = f"SELECT idx, {column} FROM {table} WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?"
        while start < stop:
            page = self.rows(sql, (start, stop, _PAGE))
            if not page:
                return
            yield [(row[0], row[1]) for row in page]
            start = page[-1][0] + 1

    def tile(self, level: int, n: int) -> Tile | None:
        row = self.one("SELECT hashes, middle FROM tile WHERE level = ? AND n = ?", (level, n))
        return Tile(level, n, *row) if row else None

    def tree_size(self) -> int:
        """Leaves in the tree, which the last tile of level 0 tells."""
        row = self.one("SELECT n, length(hashes) FROM tile WHERE level = 0 ORDER BY n DESC LIMIT 1")
        return row[0] * TILE_WIDTH + row[1] // HASH_BYTES if row else 0


class Transaction(Reads, Protocol):
    """One change of the log. In it nobody else writes the log."""

    @abstractmethod
    def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Runs a statement that gives no rows; the number of rows it touched."""

    @abstractmethod
    def insert(self, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
        """New rows from the flat `values`, `len(columns)` a row. A row in the way is an error."""

    @abstractmethod
    def put(
        self, table: str, key: tuple[str, ...], columns: tuple[str, ...], values: list[Any]
    ) -> None:
        """As `insert` of `key + columns`, but replaces rows with the same key."""


class Store(Reads, Protocol):
    """Thread-safe."""

    name: str  # what errors call it
    identity: str  # of the one log that it holds; "" where its directory tells
    shared: bool  # other processes may write it as well

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """All or nothing, durable on exit. Raises StorageFailed, and then nothing was written."""

    @abstractmethod
    def forget(self, table: str, column: str, value: int) -> None:
        """Deletes rows, and overwrites what the store keeps of deleted rows. Durable on return."""

    @abstractmethod
    def failed(self, error: Exception) -> StorageFailed:
        """What `error` means to an operator."""

    @abstractmethod
    def close(self) -> None: ...


def stored_edge(source: Reads) -> TreeEdge:
    """The tree's right edge. Raises StorageFailed where it is damaged."""
    last = {(level, n): Tile(level, n, hashes, None) for level, n, hashes in source.rows(_EDGE)}
    size = max((_leaves(tile) for tile in last.values() if tile.level == 0), default=0)
    return load_edge(size, lambda level, n: last.get((level, n)))


def _leaves(tile: Tile) -> int:
    return tile.n * TILE_WIDTH + len(tile.hashes) // HASH_BYTES


def newest_first(source: Reads, size: int) -> Iterator[bytes]:
    """Bodies of the records below `size`, the last one first."""
    stop, page = size, 1
    while stop > 0:
        rows = source.rows(
            "SELECT idx, body FROM record WHERE idx < ? ORDER BY idx DESC LIMIT ?", (stop, page)
        )
        if not rows:
            return
        yield from (row[1] for row in rows)
        stop, page = rows[-1][0], _PAGE
