"""The subjects' keys, each wrapped: master key → page of 256 keys → key of one subject.

Destroying a key draws a new page key and a new master key: every older copy of the
wrapped key, in freed pages, write-ahead logs or backups, is then wrapped under what
exists nowhere. It costs the 255 neighbours and one wrapping a page, not the whole vault.

    FileSlots     a file beside the master key, for the nodes of one machine    privacy.slotfile
    SharedSlots   a database, for hosts that each have a key of their own       privacy.shared

SQL is written once, in the subset that both speak.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from veridict.core.errors import StorageFailed
from veridict.privacy.master import KEY_BYTES
from veridict.privacy.wrapping import NONCE_BYTES, name_of, unwrap, wrap, wrapped

PAGE = 256
_ASKED = 512  # values in one question
_TRIES = 3


class Slots(ABC):
    """Wrapped keys in a database; its caller holds a lock. Raises StorageFailed."""

    _db: Any  # `execute` and `executemany` as sqlite3 has them, `?` for parameters

    def names_key(self) -> bytes:
        """The key under which names are hashed; it stays as long as the vault."""
        with self._read() as master:
            (box,) = self._db.execute("SELECT names FROM state").fetchone()
            return unwrap(master, box, b"names")

    def of(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Slots by hash of their subject, of those that seal."""
        found: dict[bytes, int] = {}
        with self._errors():
            for some in _parts(hashes):
                marks = ", ".join("?" * len(some))
                sql = f"SELECT subject, slot FROM slot WHERE subject IN ({marks}) AND retired = 0"
                found |= dict(self._db.execute(sql, some))
        return found

    def all_of(self, subject: bytes) -> list[int]:
        """Also those that wait to be destroyed, oldest first."""
        with self._errors():
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

    def retire(self, slots: Sequence[int]) -> None:
        """They seal nothing any more."""
        with self._write():
            for slot in slots:
                self._db.execute("UPDATE slot SET retired = 1 WHERE slot = ?", (slot,))

    def retired(self) -> list[int]:
        with self._errors():
            sql = "SELECT slot FROM slot WHERE retired = 1 ORDER BY slot"
            return [slot for (slot,) in self._db.execute(sql)]

    def destroy(self, slot: int) -> None:
        """The key is gone on return, and so is every older copy of its wrapping."""
        with self._write() as master:
            generation = self._generation() + 1
            fresh = self._draw(generation, master)
            self._wrap_pages_anew(master, fresh, without=slot)
            (names,) = self._db.execute("SELECT names FROM state").fetchone()
            self._db.execute(
                "UPDATE state SET generation = ?, names = ?",
                (generation, wrap(fresh, unwrap(master, names, b"names"), b"names")),
            )
        with self._errors():
            self._destroyed()

    # -- where they are kept -----------------------------------------------------------------

    @abstractmethod
    def changed(self) -> bool:
        """Whether another has written since this was last asked."""

    @abstractmethod
    def behind(self) -> list[str]:
        """Who still holds a master key from before the last destruction."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _written_since(self) -> bool:
        """Whether another may have written since `changed` was asked."""

    @abstractmethod
    def _errors(self) -> AbstractContextManager[None]:
        """What goes wrong below, as StorageFailed."""

    @abstractmethod
    def _begin(self, *, write: bool) -> None:
        """A view of one moment; or a transaction in which nobody else writes."""

    @abstractmethod
    def _undo(self) -> None:
        """Ends what was begun, if it still runs, and leaves nothing of it."""

    @abstractmethod
    def _root(self) -> bytes | None:
        """The master key of this moment's generation; None where it is not ours to have."""

    @abstractmethod
    def _draw(self, generation: int, master: bytes) -> bytes:
        """The next master key, in the transaction that wraps everything under it."""

    @abstractmethod
    def _destroyed(self) -> None:
        """After that transaction: the old master key goes."""

    @abstractmethod
    def _keyless(self) -> StorageFailed: ...

    @abstractmethod
    def _damaged(self) -> StorageFailed: ...

    # -- pages -------------------------------------------------------------------------------

    def _generation(self) -> int:
        (generation,) = self._db.execute("SELECT generation FROM state").fetchone()
        return int(generation)

    @contextmanager
    def _read(self) -> Iterator[bytes]:
        """A view of one moment, and the master key of that moment."""
        with self._errors():
            for _ in range(_TRIES):  # an erasure beside us may come between view and file
                self._begin(write=False)
                try:
                    master = self._root()
                    if master is not None:
                        yield master
                        return
                finally:
                    self._undo()
        raise self._keyless()

    @contextmanager
    def _write(self) -> Iterator[bytes]:
        """One transaction, on disk on exit, or nothing was changed."""
        with self._errors():
            self._begin(write=True)
            try:
                master = self._root()
                if master is None:
                    raise self._keyless()
                yield master
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _wrapped(self, master: bytes, keys: dict[int, bytes]) -> Iterator[bytes]:
        """The keys of rising slots, each under its page's."""
        page, cipher = -1, AESGCM(master)
        for (slot, key), nonce in zip(keys.items(), _randoms(NONCE_BYTES, len(keys)), strict=True):
            if slot // PAGE != page:
                page = slot // PAGE
                cipher = AESGCM(self._open_page(master, page))
            yield wrapped(cipher, nonce, key, name_of(slot))

    def _page_key(self, master: bytes, number: int) -> bytes:
        row = self._db.execute("SELECT box FROM page WHERE page = ?", (number,)).fetchone()
        if row is None:
            raise self._damaged()
        return unwrap(master, row[0], name_of(number))

    def _open_page(self, master: bytes, number: int) -> bytes:
        """The page's key, drawn now if the page is new."""
        sql = "INSERT INTO page VALUES (?, ?) ON CONFLICT DO NOTHING"
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
