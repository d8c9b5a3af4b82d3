"""The log's tables, and what SQLite's failures mean to an operator.

record      the leaves: index from 0 without gaps, body as it was hashed
payload     what opens a record's commitments, sealed; apart, so that it can be erased
tile        256 hashes a row, as in c2sp.org/tlog-tiles; written with the records
checkpoint  signed heads, in the order in which they were signed
anchor      checkpoints stored on chains
meta        small state of the node
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from errno import errorcode
from pathlib import Path

from veridict.core.errors import StorageFailed

VERSION = 2  # 1 kept payloads in the clear, and fewer nodes of the tree
APPLICATION_ID = 0x76647430  # "vdt0": `file` and our own check tell the log from other databases

TABLES = """
CREATE TABLE record (idx INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE payload (  -- core.ports.Sealed
  idx INTEGER PRIMARY KEY, slot INTEGER NOT NULL, tag INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE TABLE tile (
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hashes BLOB NOT NULL,  -- 32 bytes each, 1 to 256
  middle BLOB,           -- full tiles: their nodes of heights 2, 4, 6: proofs hash little
  PRIMARY KEY (level, n)
) STRICT;  -- with a rowid: rows of 11 kB would fill an index's pages badly
CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY, size INTEGER NOT NULL, time_ms INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE anchor (
  chain_id INTEGER NOT NULL, contract TEXT NOT NULL, log_id BLOB NOT NULL, size INTEGER NOT NULL,
  root BLOB NOT NULL, time_s INTEGER NOT NULL, tx_hash TEXT NOT NULL,
  block_number INTEGER NOT NULL, block_hash TEXT NOT NULL,
  PRIMARY KEY (chain_id, contract, log_id, size)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""

_FULL = ("the disk is full", "free space on it; the log goes on by itself")
_DENIED = ("the directory cannot be written", "give this user write permission")

# Beginnings of SQLite's and the system's error names → what happened, what to do.
_CAUSES = (
    ("ENOSPC", *_FULL),
    ("EACCES", *_DENIED),
    ("EPERM", *_DENIED),
    ("EROFS", *_DENIED),
    ("SQLITE_FULL", *_FULL),
    ("SQLITE_READONLY", *_DENIED),
    ("SQLITE_PERM", *_DENIED),
    ("SQLITE_CANTOPEN", "the file cannot be opened", "see that it exists and is permitted"),
    ("SQLITE_CORRUPT", "the file is damaged", "put back a backup and audit it"),
    ("SQLITE_NOTADB", "the file is no log", "put back a backup and audit it"),
    ("SQLITE_CONSTRAINT", "the file holds records the log did not write", "audit the log"),
    ("SQLITE_IOERR", "the disk reports an error", "see the system's log and replace the disk"),
    ("SQLITE_BUSY", "another process holds the file", "end that process"),
)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite and the file system raise into StorageFailed with a remedy."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise storage_failed(path, error) from error


def storage_failed(path: Path, error: Exception) -> StorageFailed:
    name = _name(error)
    if name.startswith("SQLITE_IOERR"):
        name = _denied(path) or name
    known = ((what, remedy) for prefix, what, remedy in _CAUSES if name.startswith(prefix))
    otherwise = (str(error), "see that the directory exists and can be written")
    what, remedy = next(known, otherwise)
    return StorageFailed(f"{path.name}: {what}", remedy=remedy, path=str(path), cause=name)


def _denied(path: Path) -> str | None:
    """SQLite calls a lost permission an error of the disk; the system tells which it is."""
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            continue
        except OSError as error:
            return _name(error)
    return None


def _name(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return errorcode.get(error.errno, "OSError")
    return getattr(error, "sqlite_errorname", None) or type(error).__name__


def create_or_check(db: sqlite3.Connection, path: Path) -> None:
    """Creates the tables in an empty database; refuses one of another kind or version."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables == 0:
        db.executescript(
            f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return
    check_version(db, path)


def check_version(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if (application, version) != (APPLICATION_ID, VERSION):
        raise StorageFailed(
            f"{path.name} is no log of version {VERSION}",
            remedy="open it with the release that wrote it, or choose another directory",
            path=str(path),
            version=version,
        )
