"""The subjects' keys, each wrapped: master key → page of 256 keys → key of one subject.

Destroying a key draws a new page key and a new master key: every older copy of the
wrapped key, in freed pages, write-ahead logs or backups, is then wrapped under what
exists nowhere. It costs the 255 neighbours and one wrapping a page, not the whole vault.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from veridict.core.errors import StorageFailed
from veridict.privacy.master import KEY_BYTES, MasterKey
from veridict.privacy.wrapping import (
    NONCE_BYTES,
    damaged,
    name_of,
    storage_errors,
    unwrap,
    wrap,
    wrapped,
)

FILE = "vault.sqlite"
PAGE = 256
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
_ASKED = 512  # values in one question
_TRIES = 3


class Slots:
    """Wrapped keys in one SQLite file; its caller holds a lock. Raises StorageFailed."""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        self._path = directory / FILE
        self._master = MasterKey(directory)
        self._writable = writable
        self._version = 0
        with storage_errors(self._path):
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
        with storage_errors(self._path):
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, version
        return bool(before != version)

    def names_key(self) -> bytes:
        """The key under which names are hashed; it stays as long as the vault."""
        with self._read() as master:
            (box,) = self._db.execute("SELECT names FROM state").fetchone()
            return unwrap(master, box, b"names")

    def of(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Slots by hash of their subject, of those that seal."""
        found: dict[bytes, int] = {}
        with storage_errors(self._path):
            for some in _parts(hashes):
                marks = ", ".join("?" * len(some))
                sql = f"SELECT subject, slot FROM slot WHERE subject IN ({marks}) AND retired = 0"
                found |= dict(self._db.execute(sql, some))
        return found

    def all_of(self, subject: bytes) -> list[int]:
        """Also those that wait to be destroyed, oldest first."""
        with storage_errors(self._path):
            sql = "SELECT slot FROM slot WHERE subject = ? ORDER BY slot"
            return [slot for (slot,) in self._db.execute(sql, (subject,))]

    def keys(self, slots: Sequence[int]) -> dict[int, bytes]:
        """Keys by slot, of those that are there."""
        found: dict[int, bytes] = {}
        with self._read() as master:
            pages: dict[int, bytes] = {}
            for some in _parts(slots):
                marks = ", ".join("?" * len(some))
                rows = self._db.execute(f"SELECT slot, box FROM slot WHERE slot IN ({marks})", some)
                for slot, box in rows.fetchall():
                    number = slot // PAGE
                    if number not in pages:
                        pages[number] = self._page_key(master, number)
                    found[slot] = unwrap(pages[number], box, name_of(slot))
        return found

    def add(self, hashes: Sequence[bytes]) -> tuple[dict[bytes, int], dict[int, bytes]]:
        """A slot with a fresh key for each of the distinct `hashes` that has none; on disk.

        Slots of all by hash, and the fresh keys by slot.
        """
        with self._write() as master:
            # another process may have been quicker
            known = self.of(hashes) if self._written_since() else {}
            # in the order of the index, which then touches half as much
            strangers = sorted(subject for subject in hashes if subject not in known)
            (first,) = self._db.execute("SELECT next_slot FROM state").fetchone()
            slots = range(first, first + len(strangers))
            keys = dict(zip(slots, _randoms(KEY_BYTES, len(strangers)), strict=True))
            self._db.executemany(
                "INSERT INTO slot VALUES (?, ?, 0, ?)",
                list(zip(slots, strangers, self._wrapped(master, keys), strict=True)),
            )
            self._db.execute("UPDATE state SET next_slot = ?", (slots.stop,))
        return known | dict(zip(strangers, slots, strict=True)), keys

    def _written_since(self) -> bool:
        """Whether another connection has written since `changed` was asked."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return bool(version != self._version)

    def _wrapped(self, master: bytes, keys: dict[int, bytes]) -> Iterator[bytes]:
        """The keys of rising slots, each under its page's."""
        page, cipher = -1, AESGCM(master)
        for (slot, key), nonce in zip(keys.items(), _randoms(NONCE_BYTES, len(keys)), strict=True):
            if slot // PAGE != page:
                page = slot // PAGE
                cipher = AESGCM(self._open_page(master, page))
            yield wrapped(cipher, nonce, key, name_of(slot))

    def retire(self, slots: Sequence[int]) -> None:
        """They seal nothing any more."""
        with self._write():
            for slot in slots:
                self._db.execute("UPDATE slot SET retired = 1 WHERE slot = ?", (slot,))

    def retired(self) -> list[int]:
        with storage_errors(self._path):
            sql = "SELECT slot FROM slot WHERE retired = 1 ORDER BY slot"
            return [slot for (slot,) in self._db.execute(sql)]

    def destroy(self, slot: int) -> None:
        """The key is gone on return, and so is every older copy of its wrapping."""
        with self._write() as master:
            generation = self._generation() + 1
            fresh = self._master.prepare(generation)
            self._wrap_pages_anew(master, fresh, without=slot)
            (names,) = self._db.execute("SELECT names FROM state").fetchone()
            self._db.execute(
                "UPDATE state SET generation = ?, names = ?",
                (generation, wrap(fresh, unwrap(master, names, b"names"), b"names")),
            )
        with storage_errors(self._path):
            self._settle()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._db.close()

    def _open(self, mode: str) -> sqlite3.Connection:
        self._db = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        return self._db

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

    def _generation(self) -> int:
        (generation,) = self._db.execute("SELECT generation FROM state").fetchone()
        return int(generation)

    @contextmanager
    def _read(self) -> Iterator[bytes]:
        """A view of one moment, and the master key of that moment."""
        with storage_errors(self._path):
            for _ in range(_TRIES):  # an erasure beside us may come between view and file
                self._db.execute("BEGIN")
                try:
                    master = self._master.load(self._generation())
                    if master is not None:
                        yield master
                        return
                finally:
                    self._db.execute("COMMIT")
        raise self._keyless()

    @contextmanager
    def _write(self) -> Iterator[bytes]:
        """One transaction, on disk on exit, or nothing was changed."""
        with storage_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                master = self._master.load(self._generation())
                if master is None:
                    raise self._keyless()
                yield master
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _keyless(self) -> StorageFailed:
        return StorageFailed(
            "the vault's master key is missing or another one",
            remedy="put back master.key as it was when vault.sqlite was written; "
            "without it no payload can be opened",
            path=str(self._path.parent),
        )

    def _page_key(self, master: bytes, number: int) -> bytes:
        row = self._db.execute("SELECT box FROM page WHERE page = ?", (number,)).fetchone()
        if row is None:
            raise damaged(self._path)
        return unwrap(master, row[0], name_of(number))

    def _open_page(self, master: bytes, number: int) -> bytes:
        """The page's key, drawn now if the page is new."""
        sql = "INSERT OR IGNORE INTO page VALUES (?, ?)"
        fresh = wrap(master, secrets.token_bytes(KEY_BYTES), name_of(number))
        self._db.execute(sql, (number, fresh))
        return self._page_key(master, number)

    def _wrap_pages_anew(self, master: bytes, fresh: bytes, *, without: int) -> None:
        touched = without // PAGE
        pages: list[tuple[bytes, int]] = []
        for number, box in self._db.execute("SELECT page, box FROM page").fetchall():
            key = unwrap(master, box, name_of(number))
            if number == touched:
                key = self._wrap_slots_anew(number, key, without)
            pages.append((wrap(fresh, key, name_of(number)), number))
        self._db.executemany("UPDATE page SET box = ? WHERE page = ?", pages)

    def _wrap_slots_anew(self, number: int, key: bytes, without: int) -> bytes:
        """Returns the page's new key."""
        fresh = secrets.token_bytes(KEY_BYTES)
        self._db.execute("DELETE FROM slot WHERE slot = ?", (without,))
        first = number * PAGE
        sql = "SELECT slot, box FROM slot WHERE slot >= ? AND slot < ?"
        kept = [
            (wrap(fresh, unwrap(key, box, name_of(slot)), name_of(slot)), slot)
            for slot, box in self._db.execute(sql, (first, first + PAGE)).fetchall()
        ]
        self._db.executemany("UPDATE slot SET box = ? WHERE slot = ?", kept)
        return fresh


def _parts(values: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(values), _ASKED):
        yield list(values[start : start + _ASKED])


def _randoms(size: int, count: int) -> list[bytes]:
    pool = secrets.token_bytes(size * count)
    return [pool[at : at + size] for at in range(0, len(pool), size)]
