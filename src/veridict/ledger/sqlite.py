"""The log's SQLite file: one connection that writes, one that reads, errors with a remedy.

WAL with synchronous=FULL: COMMIT returns after the fsync of the write-ahead
log, so what is acknowledged survives a kill and a power cut, and readers, also
in other processes, never wait for the writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from veridict.core.errors import StorageFailed
from veridict.core.files import sync
from veridict.ledger.schema import (
    check_version,
    create_or_check,
    storage_errors,
    storage_failed,
)
from veridict.ledger.store import Store, Transaction

FILE = "log.sqlite"
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = 1",  # macOS: fsync alone leaves data in the drive's cache
    # 32 MB between checkpoints: each rewrites the pages of the right edge, fewer are faster
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA journal_size_limit = 67108864",
)
_PAGE_SIZE = "PRAGMA page_size = 8192"  # of a new file: twenty bodies of 400 bytes leave no gap
_CACHE = "PRAGMA cache_size = -16384"
_BUSY_S = 10.0
_MAX_ROWS = 4096  # a statement; SQLite allows 32,766 parameters


class SqliteStore(Store):
    """A log's file in `directory`. One process writes it; the directory's lock sees to that."""

    shared = False
    identity = ""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        """Raises StorageFailed."""
        self.path = directory / FILE
        self.name = FILE
        self._writable = writable
        self._write_lock, self._read_lock = RLock(), RLock()
        self._writer: sqlite3.Connection | None = None
        with storage_errors(self.path):
            if writable:
                self._writer = _open(self.path, "rwc", self._prepare)
                sync(directory)
            self._reader = _open_reader(self.path)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if not self._writable:
            raise StorageFailed("the log was opened read-only", remedy="open it for writing")
        with self._write_lock, storage_errors(self.path):
            if self._writer is None:
                self._writer = _open(self.path, "rwc", self._prepare)
            db = self._writer
            try:
                db.execute("BEGIN IMMEDIATE")
                yield _SqliteTransaction(db)
                db.execute("COMMIT")
            except BaseException as error:
                self._abandon(db, error)
                raise

    def _abandon(self, db: sqlite3.Connection, error: BaseException) -> None:
        """Rolls back. After an error of the device the connection's view is not trusted again."""
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        name = getattr(error, "sqlite_errorname", "")
        if isinstance(error, sqlite3.Error) and name != "SQLITE_FULL":
            self._writer = None
            with suppress(sqlite3.Error):
                db.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute(_PAGE_SIZE)
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageFailed(
                f"{self.path.name}: this file system cannot hold a write-ahead log",
                remedy="keep the data directory on a local disk",
                path=str(self.path),
            )
        for pragma in (*_PRAGMAS, _CACHE):
            db.execute(pragma)
        create_or_check(db, self.path)

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._read_lock, storage_errors(self.path):
            return self._reader.execute(sql, args).fetchall()

    def one(self, sql: str, args: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        with self._read_lock, storage_errors(self.path):
            row: tuple[Any, ...] | None = self._reader.execute(sql, args).fetchone()
            return row

    def forget(self, table: str, column: str, value: int) -> None:
        """Raises StorageFailed, also while a reader keeps what was deleted in use."""
        with self.transaction() as tx, self._secure():
            tx.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,))
        with self._write_lock, storage_errors(self.path):
            assert self._writer is not None, "a transaction came to its end"
            (busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageFailed(
                f"{self.path.name}: a reader keeps what was deleted in use",
                remedy="end the audit or export that runs beside, then erase again",
                path=str(self.path),
            )

    @contextmanager
    def _secure(self) -> Iterator[None]:
        """Inside a transaction: what is deleted is overwritten with zeros."""
        assert self._writer is not None, "in a transaction"
        db = self._writer
        db.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            db.execute("PRAGMA secure_delete = OFF")

    def failed(self, error: Exception) -> StorageFailed:
        return storage_failed(self.path, error)

    def close(self) -> None:
        with self._write_lock, self._read_lock, suppress(sqlite3.Error):
            self._reader.close()
            if self._writer is not None:
                self._writer.close()


class _SqliteTransaction(Transaction):
    __slots__ = ("_db",)

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, args).fetchall()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        return self._db.execute(sql, args).rowcount

    def insert(self, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
        insert(self._db, f"INSERT INTO {table} ({', '.join(columns)})", len(columns), values)

    def put(
        self, table: str, key: tuple[str, ...], columns: tuple[str, ...], values: list[Any]
    ) -> None:
        whole = key + columns
        into = f"INSERT OR REPLACE INTO {table} ({', '.join(whole)})"
        insert(self._db, into, len(whole), values)


def insert(db: sqlite3.Connection, into: str, width: int, values: list[Any]) -> None:
    """Runs `into VALUES (?, ..), (?, ..) ..` over the flat `values`, `width` a row.

    sqlite3 gives up the interpreter lock at every statement, and a busy thread
    keeps it for 5 ms each time: one statement for many rows, in sizes of powers
    of two so that they stay prepared, is what keeps the writer fast under load.
    """
    row = f"({', '.join('?' * width)})"
    start, rows = 0, len(values) // width
    while rows:
        count = min(1 << (rows.bit_length() - 1), _MAX_ROWS)
        sql = f"{into} VALUES {', '.join([row] * count)}"
        db.execute(sql, values[start : start + count * width])
        start, rows = start + count * width, rows - count


def _open(
    path: Path, mode: str, prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """A connection that `prepare` has accepted; closed again where it raises."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,  # transactions are ours to begin
        check_same_thread=False,  # one lock a connection
        cached_statements=256,
    )
    try:
        prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _open_reader(path: Path) -> sqlite3.Connection:
    """Beside a running writer, after it, or on a medium that cannot be written."""

    def prepare(db: sqlite3.Connection) -> None:
        check_version(db, path)
        db.execute("PRAGMA query_only = 1")
        db.execute(_CACHE)

    try:
        return _open(path, "ro", prepare)
    except sqlite3.OperationalError:
        wal = path.with_name(path.name + "-wal")
        if not path.exists() or (wal.exists() and wal.stat().st_size):
            raise
    # SQLite wants to write its -shm file; without a log to replay it can do without
    return _open(path, "ro&immutable=1", prepare)
