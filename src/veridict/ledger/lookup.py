"""Finds records by their request's id or subject: a side file, filled late and never trusted.

A random index inside the append transaction would cost ten times the append.
So the file lags behind the log and catches up when it is asked; every answer is
checked against the payload; deleting the file costs a rebuild and nothing else.
It holds 8-byte hashes of ids and subjects, not themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from veridict.core.errors import EvidenceError
from veridict.ledger.payloads import decode_payload, request_id_of, subject_of
from veridict.ledger.schema import storage_errors
from veridict.ledger.sqlite import insert
from veridict.ledger.store import Store

FILE = "lookup.sqlite"
ASKED = 512  # keys in one question
_VERSION = 2
_TABLES = f"""
CREATE TABLE request (key INTEGER, idx INTEGER, PRIMARY KEY (key, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE subject (key INTEGER, idx INTEGER, PRIMARY KEY (key, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE progress (next_index INTEGER NOT NULL) STRICT;
INSERT INTO progress VALUES (0);
PRAGMA user_version = {_VERSION};
"""


class RequestIndex:
    """Request id → index of its first record; subject → indices of its records."""

    def __init__(self, directory: Path, store: Store, *, writable: bool) -> None:
        self._path = directory / FILE
        self._store = store
        self._writable = writable
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None

    def find(self, request_id: str, size: int) -> int | None:
        """The first of the `size` records whose payload opens to this request, or None."""
        with self._lock, storage_errors(self._path):
            try:
                return self._find(request_id, size)
            except sqlite3.DatabaseError:
                if not self._writable:
                    return self._scan(request_id, 0, size)
                self._discard()
                return self._find(request_id, size)

    def find_all(self, request_ids: Sequence[str], size: int) -> list[int | None]:
        """`find` of each; cheap where nearly none of them has a record."""
        with self._lock, storage_errors(self._path):
            perhaps = self._perhaps(request_ids, size)
        return [self.find(name, size) if name in perhaps else None for name in request_ids]

    def of_subject(self, subject: str, below: int, most: int, size: int) -> list[int]:
        """The last `most` of the records before `below` whose payload is of this subject."""
        with self._lock, storage_errors(self._path):
            try:
                return self._of_subject(subject, below, most, size)
            except sqlite3.DatabaseError:
                if not self._writable:
                    return self._scan_subject(subject, 0, below)[-most:]
                self._discard()
                return self._of_subject(subject, below, most, size)

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _find(self, request_id: str, size: int) -> int | None:
        db = self._open()
        if db is None:
            return self._scan(request_id, 0, size)
        known = self._catch_up(db, size)
        key = _key(request_id.encode())
        for (index,) in db.execute("SELECT idx FROM request WHERE key = ? ORDER BY idx", (key,)):
            if index < size and self._is_request(index, request_id):
                return int(index)
        return self._scan(request_id, known, size)

    def _perhaps(self, request_ids: Sequence[str], size: int) -> set[str]:
        """Those that may have a record: all others have none."""
        names = {_key(name.encode()): name for name in request_ids}
        if len(names) < len(request_ids):  # twice the same, or two of one key
            return set(request_ids)
        found: set[str] = set()
        try:
            db = self._open()
            if db is None or self._catch_up(db, size) < size:
                return set(request_ids)
            keys = list(names)
            for start in range(0, len(keys), ASKED):
                some = keys[start : start + ASKED]
                marks = ", ".join("?" * len(some))
                rows = db.execute(f"SELECT key FROM request WHERE key IN ({marks})", some)
                found |= {names[key] for (key,) in rows}
        except sqlite3.DatabaseError:  # `find` mends the file
            return set(request_ids)
        return found

    def _of_subject(self, subject: str, below: int, most: int, size: int) -> list[int]:
        db = self._open()
        if db is None:
            return self._scan_subject(subject, 0, below)[-most:]
        known = self._catch_up(db, size)
        found = db.execute(
            "SELECT idx FROM subject WHERE key = ? AND idx < ? ORDER BY idx DESC LIMIT ?",
            (_key(subject.encode()), min(below, known), most),
        ).fetchall()
        first = [index for (index,) in reversed(found) if self._is_of(index, subject)]
        return (first + self._scan_subject(subject, known, below))[-most:]

    def _open(self) -> sqlite3.Connection | None:
        """The side file; None where a reader finds none, or that of another release."""
        if self._db is None and (self._writable or self._path.exists()):
            mode = "rwc" if self._writable else "ro"
            db = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}",
                uri=True, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
            self._db = db
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise sqlite3.DatabaseError("the side file is another release's")
            if self._writable:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                if version == 0:
                    db.executescript(f"BEGIN; {_TABLES} COMMIT;")
        return self._db

    def _catch_up(self, db: sqlite3.Connection, size: int) -> int:
        """Indexes the payloads up to `size`; the index up to which the file now answers."""
        (known,) = db.execute("SELECT next_index FROM progress").fetchone()
        if known > size:
            raise sqlite3.DatabaseError("the side file is of a longer log")
        if not self._writable:
            return int(known)
        for page in self._store.scan("payload", known, size):
            requests: list[Any] = []
            subjects: list[Any] = []
            for index, data in page:
                requests += (_key(request_id_of(data)), index)
                if subject := subject_of(data):  # nobody's rows have nothing in common
                    subjects += (_key(subject), index)
            db.execute("BEGIN")
            insert(db, "INSERT OR IGNORE INTO request (key, idx)", 2, requests)
            insert(db, "INSERT OR IGNORE INTO subject (key, idx)", 2, subjects)
            db.execute("UPDATE progress SET next_index = ?", (page[-1][0] + 1,))
            db.execute("COMMIT")
        return size

    def _scan(self, request_id: str, start: int, stop: int) -> int | None:
        for index in self._matching(request_id.encode(), start, stop):
            if self._is_request(index, request_id):
                return index
        return None

    def _matching(self, wanted: bytes, start: int, stop: int) -> Iterator[int]:
        for page in self._store.scan("payload", start, stop):
            for index, data in page:
                if request_id_of(data) == wanted:
                    yield index

    def _scan_subject(self, subject: str, start: int, stop: int) -> list[int]:
        wanted = subject.encode()
        return [
            index
            for page in self._store.scan("payload", start, stop)
            for index, data in page
            if wanted and subject_of(data) == wanted
        ]

    def _is_of(self, index: int, subject: str) -> bool:
        row = self._store.one("SELECT payload FROM payload WHERE idx = ?", (index,))
        return row is not None and subject_of(row[0]) == subject.encode()

    def _is_request(self, index: int, request_id: str) -> bool:
        row = self._store.one("SELECT payload FROM payload WHERE idx = ?", (index,))
        try:
            return row is not None and decode_payload(row[0]).request.id == request_id
        except EvidenceError:  # a damaged payload answers for no request; the audit names it
            return False

    def _discard(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(FILE + suffix).unlink(missing_ok=True)


def _key(name: bytes) -> int:
    return int.from_bytes(sha256(name).digest()[:8], "big", signed=True)
