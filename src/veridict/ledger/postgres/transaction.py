"""One transaction, in few answers: what is written waits for none until it commits.

Statements go out in libpq's pipeline mode, so that a commit over a network takes three
round trips, whatever it writes: lock, edge, and everything else with its COMMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, LiteralString

from psycopg import Connection, Pipeline

from veridict.ledger.postgres.schema import TYPES
from veridict.ledger.store import Transaction


class PostgresTransaction(Transaction):
    """What failed in `insert` and `put` is raised by whatever waits for an answer next."""

    __slots__ = ("_db", "_line")

    def __init__(self, db: Connection, line: Pipeline) -> None:
        self._db, self._line = db, line

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._db.execute(spoken(sql), args, binary=True)
        self._line.sync()  # not only a fetch: a server that waits behind a sync knows it is idle
        return cursor.fetchall()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        cursor = self._db.execute(spoken(sql), args)
        self._line.sync()
        return cursor.rowcount

    def insert(self, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
        if values:
            self._db.execute(_insert(table, columns), _transposed(values, len(columns)))

    def put(
        self, table: str, key: tuple[str, ...], columns: tuple[str, ...], values: list[Any]
    ) -> None:
        fresh = ", ".join(f"{column} = excluded.{column}" for column in columns)
        instead = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {fresh}"
        whole = key + columns
        if values:
            self._db.execute(_insert(table, whole) + instead, _transposed(values, len(whole)))


def _transposed(values: list[Any], width: int) -> list[list[Any]]:
    """One array a column: the statement stays the same for any number of rows."""
    return [values[column::width] for column in range(width)]


@lru_cache(maxsize=16)
def _insert(table: LiteralString, columns: tuple[LiteralString, ...]) -> LiteralString:
    arrays = ", ".join(f"%b::{TYPES[column]}[]" for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"


@lru_cache(maxsize=256)
def spoken(sql: LiteralString) -> LiteralString:
    """`sql` with psycopg's parameter marks. Our statements hold neither ? nor % as text."""
    return sql.replace("?", "%s")
