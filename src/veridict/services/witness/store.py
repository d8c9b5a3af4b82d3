"""What a witness cosigned last, a row a log, and the evidence of logs that lied to it.

The old head is read and the new one written in one transaction that no other can interleave:
of two requests at once one finds the size changed, so no cosigned head is ever rolled back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from veridict.core.errors import StorageFailed
from veridict.ledger.lock import DirectoryLock
from veridict.ledger.schema import storage_errors
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT

FILE = "witness.sqlite"
_VERSION = 1
_APPLICATION = 0x76647730  # "vdw0"
_KEPT_EVIDENCE = 64  # a log; one split view convicts, more only fill the disk
# Sizes are text: a log may sign any uint64, SQLite's integers end at 2^63.
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE head (
  origin TEXT PRIMARY KEY, size TEXT NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY, origin TEXT NOT NULL, finding TEXT NOT NULL, time_ms INTEGER NOT NULL,
  held TEXT NOT NULL, given TEXT NOT NULL
) STRICT;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Held:
    """The head cosigned last; size 0 with the empty root and no note before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two notes of one log that contradict each other, or might: the witness kept both."""

    origin: str
    finding: str
    time_ms: int
    held: str
    given: str


class WitnessStore:
    """One process a directory; thread-safe. Raises NodeRunning, StorageFailed."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._lock = Lock()
        with storage_errors(self.path):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = DirectoryLock(directory / "witness.lock")
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare()

    def head(self, origin: str) -> Held:
        with self._lock, storage_errors(self.path):
            return self._read(origin)

    def advance(self, origin: str, signed: SignedCheckpoint, check: Callable[[Held], None]) -> None:
        """Makes `signed` the log's head, durably, unless `check(the one held)` raises."""
        with self._transaction() as db:
            check(self._read(origin))
            db.execute(
                "INSERT OR REPLACE INTO head (origin, size, root, note) VALUES (?, ?, ?, ?)",
                (origin, str(signed.size), signed.root, signed.text),
            )

    def convict(self, evidence: Evidence) -> None:
        """Keeps the two notes, the first ones of each log."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO evidence (origin, finding, time_ms, held, given)"
                " SELECT ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM evidence WHERE origin = ?) < ?",
                (
                    evidence.origin, evidence.finding, evidence.time_ms,
                    evidence.held, evidence.given, evidence.origin, _KEPT_EVIDENCE,
                ),
            )  # fmt: skip

    def evidence(self) -> list[Evidence]:
        """In the order in which it came."""
        with self._lock, storage_errors(self.path):
            rows = self._db.execute(
                "SELECT origin, finding, time_ms, held, given FROM evidence ORDER BY id"
            )
            return [Evidence(*row) for row in rows]

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._held.release()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, storage_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _read(self, origin: str) -> Held:
        row = self._db.execute(
            "SELECT size, root, note FROM head WHERE origin = ?", (origin,)
        ).fetchone()
        return Held(int(row[0]), row[1], row[2]) if row else Held()

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version == 0 and tables == 0:
            self._db.executescript(_TABLES)
            return
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        if (application, version) != (_APPLICATION, _VERSION):
            raise StorageFailed(
                f"{FILE} is no witness's state of version {_VERSION}",
                remedy="open it with the release that wrote it; never start a witness afresh "
                "under its old key, it would forget what it cosigned",
                path=str(self.path),
            )
