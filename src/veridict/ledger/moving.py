"""A log's rows from one store to the other, and its move from a file into a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from veridict.core.errors import BadInput, NotFound
from veridict.core.files import sync
from veridict.ledger.lock import DirectoryLock
from veridict.ledger.schema import storage_errors
from veridict.ledger.sqlite import FILE, SqliteStore
from veridict.ledger.store import Reads, Store, Transaction, stored_edge
from veridict.ledger.where import database, note

LOCK = "log.lock"
_MOVED = f"{FILE}.moved"
_PAGE = 1024
# Table → the columns in whose order it is read, and its other columns.
_TABLES = {
    "record": (("idx",), ("body",)),
    "payload": (("idx",), ("slot", "tag", "payload")),
    "tile": (("level", "n"), ("hashes", "middle")),
    "checkpoint": (("id",), ("size", "time_ms", "note")),
    "anchor": (
        ("chain_id", "contract", "log_id", "size"),
        ("root", "time_s", "tx_hash", "block_number", "block_hash"),
    ),
    "meta": (("key",), ("value",)),
}


def copy_rows(source: Reads, target: Transaction) -> None:
    """All of a log into empty tables. In a transaction of the source it is of one moment."""
    for table, (key, others) in _TABLES.items():
        numbered = key == ("id",)  # a checkpoint's number is given where it is written
        columns = others if numbered else key + others
        for page in _pages(source, table, key, others):
            flat = [value for row in page for value in (row[len(key) :] if numbered else row)]
            target.insert(table, columns, flat)


def move_to_database(directory: Path, url: str) -> int:
    """Moves the log of `directory` into the empty database at `url`; its number of records.

    The file stays as log.sqlite.moved. What a kill interrupted is finished by moving again.
    Raises NotFound without such a file, BadInput where the database holds something else,
    NodeRunning, StorageFailed, MissingPart.
    """
    if not (directory / FILE).exists():
        raise NotFound(
            f"{directory} holds no log in a file", remedy="name the home whose log is to move"
        )
    lock = DirectoryLock(directory / LOCK)
    try:
        with (
            closing(SqliteStore(directory, writable=True)) as old,
            closing(database(url, writable=True)) as new,
        ):
            if new.one("SELECT 1 FROM meta") is None:
                with old.transaction() as held, new.transaction() as fresh:
                    copy_rows(held, fresh)
            if not _same(old, new):
                raise BadInput(
                    f"{new.name} holds another log",
                    remedy="empty its tables, or name another database or schema",
                    store=new.name,
                )
            size = old.tree_size()
            note(directory, new)
        with storage_errors(directory):
            (directory / FILE).rename(directory / _MOVED)
            sync(directory)
    finally:
        lock.release()
    return size


def _same(old: Store, new: Store) -> bool:
    ask = "SELECT note FROM checkpoint ORDER BY id"
    vkey = "SELECT value FROM meta WHERE key = 'log.vkey'"
    return (
        stored_edge(old) == stored_edge(new)
        and old.rows(ask) == new.rows(ask)
        and old.one(vkey) == new.one(vkey)
    )


def _pages(
    source: Reads, table: str, key: tuple[str, ...], others: tuple[str, ...]
) -> Iterator[list[tuple[Any, ...]]]:
    names, marks = ", ".join(key), ", ".join("?" * len(key))
    select = f"SELECT {', '.join(key + others)} FROM {table}"
    page = source.rows(f"{select} ORDER BY {names} LIMIT {_PAGE}")
    while page:
        yield page
        last = page[-1][: len(key)]
        page = source.rows(
            f"{select} WHERE ({names}) > ({marks}) ORDER BY {names} LIMIT {_PAGE}", last
        )
