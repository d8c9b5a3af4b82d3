"""The subjects' keys in one SQLite file, beside the master key: for the nodes of one machine."""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import AbstractContextManager
from pathlib import Path

from veridict.core.errors import StorageFailed
from veridict.privacy.master import KEY_BYTES, MasterKey
from veridict.privacy.slots import PAGE, Slots
from veridict.privacy.wrapping import damaged, storage_errors, wrap

FILE = "vault.sqlite"
_VERSION = 1
_TABLES = f"""
CREATE TABLE state (
  generation INTEGER NOT NULL,  -- of the master key
  next_slot INTEGER NOT NULL,
  names BLOB NOT NULL           -- the key of subjects' and names' hashes, wrapped
) STRICT;
CREATE TABLE page (page INTEGER PRIMARY KEY, box BLOB NOT NULL) STRICT;
CREATE TABLE slot (
  slot INTEGER PRIMARY KEY,
  subject BLOB NOT NULL,        -- keyed hash
  retired INTEGER NOT NULL,     -- 1: waits to be destroyed, seals nothing any more
  box BLOB NOT NULL
) STRICT;
CREATE INDEX slot_subject ON slot (subject);
PRAGMA user_version = {_VERSION};
"""
_BUSY_S = 10.0


class FileSlots(Slots):
    """`vault.sqlite` in `directory`; any number of processes of one machine may share it."""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        self._path = directory / FILE
        self._master = MasterKey(directory)
        self._writable = writable
        self._version = 0
        with self._errors():
            if writable:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._db = self._open("rwc")
                return
            if not self._path.exists():
                raise StorageFailed(
                    f"there is no vault in {directory.name}, and payloads are sealed",
                    remedy="put back its backup, or set VERIDICT_VAULT to where it is",
                    path=str(directory),
                )
            try:
                self._db = self._open("ro")
            except sqlite3.OperationalError:
                wal = self._path.with_name(f"{FILE}-wal")
                if wal.exists() and wal.stat().st_size:
                    raise
                self._db = self._open("ro&immutable=1")  # a medium that cannot be written

    def changed(self) -> bool:
        """Whether another connection has written since this was last asked."""
        with self._errors():
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, version
        return bool(before != version)

    def behind(self) -> list[str]:
        """Nobody: there is one master key, and it was overwritten."""
        return []

    def close(self) -> None:
        self._db.close()

    def _written_since(self) -> bool:
        """Whether another connection has written since `changed` was asked."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return bool(version != self._version)

    def _errors(self) -> AbstractContextManager[None]:
        return storage_errors(self._path)

    def _begin(self, *, write: bool) -> None:
        self._db.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _root(self) -> bytes | None:
        """The master key of this moment's generation."""
        return self._master.load(self._generation())

    def _draw(self, generation: int, master: bytes) -> bytes:
        """The next master key, in the transaction that wraps everything under it."""
        return self._master.prepare(generation)

    def _destroyed(self) -> None:
        """After that transaction: the old master key goes."""
        self._settle()
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _damaged(self) -> StorageFailed:
        return damaged(self._path)

    def _keyless(self) -> StorageFailed:
        return StorageFailed(
            "the vault's master key is missing or another one",
            remedy="put back master.key as it was when vault.sqlite was written; "
            "without it no payload can be opened",
            path=str(self._path.parent),
        )

    def _open(self, mode: str) -> sqlite3.Connection:
        db = self._db = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        return db

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise StorageFailed(
                f"{FILE} is no vault of version {_VERSION}",
                remedy="open it with the release that wrote it",
                path=str(self._path),
                version=version,
            )
        if self._writable:
            self._write_ahead()
            for pragma in ("synchronous = FULL", "fullfsync = 1"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("PRAGMA secure_delete = ON")  # hashes of subjects are not wrapped
            if version == 0:
                self._create()
            self._settle()  # a kill may have come before it

    def _write_ahead(self) -> None:
        """SQLite does not wait for another process that switches the same file to WAL."""
        end = time.monotonic() + _BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def _create(self) -> None:
        """Under the file's lock: of several that begin a vault at once, one does."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                # a kill may have come between the key and its first use
                master = self._master.load(0) or self._master.create()
                # A random beginning: boxes of a lost vault must not meet another's keys.
                first = (secrets.randbits(31) << 32) // PAGE * PAGE
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                names = wrap(master, secrets.token_bytes(KEY_BYTES), b"names")
                self._db.execute("INSERT INTO state VALUES (0, ?, ?)", (first, names))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _settle(self) -> None:
        """Under the lock: whoever is about to destroy a key elsewhere has prepared the next one."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._master.settle(self._generation())
        finally:
            self._db.execute("COMMIT")
