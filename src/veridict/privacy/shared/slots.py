"""Wrapped keys in PostgreSQL, and each host's copy of the master key sealed to that host."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from psycopg import Connection, Error
from psycopg.pq import TransactionStatus

from veridict.core.errors import StorageFailed
from veridict.privacy.master import KEY_BYTES
from veridict.privacy.shared.database import (
    VERSION,
    Spoken,
    create_tables,
    holds_vault,
    identity,
    opened,
    place_of,
)
from veridict.privacy.shared.hostkey import HostKey, mac, open_with, public_of, seal_to
from veridict.privacy.slots import PAGE, Slots
from veridict.privacy.wrapping import wrap


class SharedSlots(Slots):
    """Wrapped keys in PostgreSQL. Its caller holds a lock; other hosts meet it in the database."""

    def __init__(self, url: str, directory: Path, *, writable: bool) -> None:
        self.name, self._conninfo = place_of(url)
        self._db = None
        self._key = HostKey(directory)
        self._writable = writable
        self._identity, self._host = "", ""
        self._known: tuple[int, bytes] | None = None  # generation, master key
        self._seen = (-1, -1)  # generation, changes
        if writable:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with self._errors():
                self._enter()
                if writable:
                    self._turn()  # an erasure may have come while this host was away
        except BaseException:
            self.close()
            raise

    def changed(self) -> bool:
        with self._errors():
            row = self._db.execute("SELECT generation, changes FROM state").fetchone()
            before, self._seen = self._seen, (row[0], row[1])
            if self._writable and before[0] != row[0]:
                self._turn()
        return before != self._seen

    def retire(self, slots: Sequence[int]) -> None:
        with self._write():
            for slot in slots:
                self._db.execute("UPDATE slot SET retired = 1 WHERE slot = ?", (slot,))
            self._db.execute("UPDATE state SET changes = changes + 1")

    def behind(self) -> list[str]:
        """Hosts whose key is older than the last destruction."""
        with self._errors():
            sql = "SELECT id FROM host WHERE turned < (SELECT generation FROM state) ORDER BY id"
            return [row[0] for row in self._db.execute(sql)]

    def close(self) -> None:
        if self._db is not None:
            with suppress(Error, OSError):
                self._db.connection.close()

    # -- where they are kept -----------------------------------------------------------------

    def _written_since(self) -> bool:
        return True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            if self._db is None or self._db.connection.closed:
                self._db = Spoken(self._connect())
            yield
        except (Error, OSError) as error:
            raise StorageFailed(
                f"{self.name}: the vault's database fails: {str(error).splitlines()[0]}",
                remedy="see that it runs and its log; nothing that was asked for was done",
                store=self.name,
                cause=getattr(error, "sqlstate", None) or type(error).__name__,
            ) from error
        except InvalidTag as error:
            raise self._damaged() from error

    def _begin(self, *, write: bool) -> None:
        if write:
            self._db.execute("BEGIN")
            self._db.execute("LOCK TABLE state IN EXCLUSIVE MODE")
        else:
            self._db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def _undo(self) -> None:
        with suppress(Error, OSError):
            if self._db.connection.info.transaction_status != TransactionStatus.IDLE:
                self._db.execute("ROLLBACK")

    def _root(self) -> bytes | None:
        generation = self._generation()
        if self._known is None or self._known[0] != generation:
            root = self._root_of(self._host, generation)
            self._known = None if root is None else (generation, root)
        return self._known and self._known[1]

    def _root_of(self, host: str, generation: int) -> bytes | None:
        """The master key as it is sealed to `host`, whose key lies here."""
        row = self._db.execute("SELECT turn, box FROM host WHERE id = ?", (host,)).fetchone()
        private = None if row is None else self._key.keys.load(row[0])
        if row is None or private is None:
            return None
        return open_with(private, row[1], _name(host, generation))

    def _draw(self, generation: int, master: bytes) -> bytes:
        fresh = secrets.token_bytes(KEY_BYTES)
        for host, turn, public, known in self._db.execute("SELECT id, turn, public, mac FROM host"):
            if not hmac.compare_digest(known, mac(master, _name(host, turn), public)):
                raise self._damaged()  # the next master key would go to a stranger
            self._db.execute(
                "UPDATE host SET box = ?, mac = ? WHERE id = ?",
                (
                    seal_to(public, fresh, _name(host, generation)),
                    mac(fresh, _name(host, turn), public),
                    host,
                ),
            )
        self._db.execute("UPDATE state SET changes = changes + 1")
        return fresh

    def _destroyed(self) -> None:
        self._turn()
        self._db.execute("VACUUM slot, page, host, state")

    def _turn(self) -> None:
        """Draws this host's next key, if the one it has is older than the last destruction."""
        with self._write() as master:
            sql = "SELECT turn, turned FROM host WHERE id = ?"
            turn, turned = self._db.execute(sql, (self._host,)).fetchone()
            generation = self._generation()
            if turned < generation:
                turn += 1
                self._admit(self._host, turn, generation, self._key.keys.prepare(turn), master)
        self._settle()

    def _settle(self) -> None:
        """Under the lock: another process of this host may be about to turn."""
        with self._write():
            sql = "SELECT turn FROM host WHERE id = ?"
            self._key.keys.settle(self._db.execute(sql, (self._host,)).fetchone()[0])

    def _admit(self, host: str, turn: int, generation: int, private: bytes, master: bytes) -> None:
        """Writes down `host`'s public key, and the master key sealed to it."""
        public = public_of(private)
        box = seal_to(public, master, _name(host, generation))
        values = (turn, generation, public, box, mac(master, _name(host, turn), public), host)
        self._db.execute("DELETE FROM host WHERE id = ?", (host,))
        sql = "INSERT INTO host (turn, turned, public, box, mac, id) VALUES (?, ?, ?, ?, ?, ?)"
        self._db.execute(sql, values)

    # -- opening -----------------------------------------------------------------------------

    def _connect(self) -> Connection:
        db = opened(self._conninfo, self.name)
        if self._identity and self._identity != identity(db, self.name):
            db.close()
            raise StorageFailed(
                f"{self.name} holds another vault than when it was opened",
                remedy="put back the database, or open the vault anew",
                store=self.name,
            )
        return db

    def _enter(self) -> None:
        """As the host that this directory is; as a new one in an empty vault, or with a copy."""
        db = self._db.connection
        host = self._key.host()
        with db.transaction():
            if not holds_vault(db):
                if not self._writable:
                    raise StorageFailed(
                        f"{self.name} holds no vault, and payloads are sealed",
                        remedy="put back its backup, or mend VERIDICT_VAULT",
                        store=self.name,
                    )
                self._create()
                host = self._key.host()
        self._identity = identity(db, self.name)
        if host is None:
            raise self._keyless()
        self._host = host.id
        if host.copied and self._writable:
            self._join(host.id)

    def _create(self) -> None:
        """In the transaction under the advisory lock."""
        if self._key.host() is not None and self._key.keys.load(0) is None:
            raise StorageFailed(
                f"{self.name} holds no vault, but this host has the key to one",
                remedy="put back the database, or move the vault's folder away to begin anew",
                store=self.name,
            )
        create_tables(self._db.connection)
        master = secrets.token_bytes(KEY_BYTES)
        names = wrap(master, secrets.token_bytes(KEY_BYTES), b"names")
        # A random beginning: boxes of a lost vault must not meet another's keys.
        first = (secrets.randbits(31) << 32) // PAGE * PAGE
        self._db.execute(
            "INSERT INTO state VALUES (?, ?, 0, ?, ?, 0)", (VERSION, uuid4().hex, first, names)
        )
        host = self._key.name()
        private = self._key.keys.load(0) or self._key.keys.create()
        self._admit(host, 0, 0, private, master)
        self._key.take(host)

    def _join(self, other: str) -> None:
        """With a copy of the host `other`'s key, which is not kept."""
        host = self._key.name()
        self._begin(write=True)
        try:
            row = self._db.execute("SELECT turn FROM host WHERE id = ?", (other,)).fetchone()
            master = None if row is None else self._root_of(other, self._generation())
            if master is None:
                raise self._keyless()
            turn = row[0] + 1
            private = self._key.keys.prepare(turn)
            self._admit(host, turn, self._generation(), private, master)
            self._db.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self._key.take(host)
        self._host = host
        self._settle()

    def _keyless(self) -> StorageFailed:
        return StorageFailed(
            f"{self.name}: this host has no key to the vault, or one from before an erasure",
            remedy="stop the node and copy the vault's folder anew from a host that has",
            store=self.name,
        )

    def _damaged(self) -> StorageFailed:
        return StorageFailed(
            f"{self.name}: a wrapped key or a host's key was altered",
            remedy="put back the vault's backup; what it sealed cannot be opened without",
            store=self.name,
        )


def _name(host: str, number: int) -> bytes:
    return f"{host}/{number}".encode()
