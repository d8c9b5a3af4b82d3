"""The log's PostgreSQL store: many nodes may write it, one at a time.

Every transaction takes the log's lock first, and all that it writes is one
commit: who holds the lock sees all that others committed, continues their tree,
and leaves either all of its records or none. A holder that dies lets go with
its connection. COMMIT returns after the server's fsync (synchronous_commit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from secrets import token_hex
from threading import RLock
from time import monotonic, sleep
from typing import Any

from psycopg import Connection, Error
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from veridict.core.errors import StorageFailed
from veridict.ledger.postgres.failures import Failure, failed, is_lost, unknown, vanished
from veridict.ledger.postgres.place import Place
from veridict.ledger.postgres.schema import check_version, create_if_empty, demand_fsync
from veridict.ledger.postgres.transaction import PostgresTransaction, spoken
from veridict.ledger.store import Store, Transaction

# Each statement sees what was committed before it; readers and backups pass the lock.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE veridict_log IN EXCLUSIVE MODE"
_SESSION = """
SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '15s';
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""
# Ends the session of a writer that holds the lock and has said nothing for 15 s: its process was
# stopped, or its machine is away. Nothing of its transaction stands.
_TAKE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_stat_activity USING (pid)
 WHERE relation = 'veridict_log'::regclass AND mode = 'ExclusiveLock' AND granted
   AND wait_event = 'ClientRead'
   AND clock_timestamp() - greatest(query_start, state_change) > interval '15 s'
"""
_TURN = """
INSERT INTO writer VALUES (%s, %s, now())
ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, seen = excluded.seen
"""
_FORGET = "DELETE FROM writer WHERE seen < now() - interval '30 days'"
_SETTLE_S = 30.0  # how long the outcome of a lost COMMIT is asked for
_RETRY_S = 0.25


class PostgresStore(Store):
    """One connection that writes, one that reads; each is opened again after it was lost."""

    shared = True

    def __init__(self, place: Place, *, writable: bool) -> None:
        """Raises StorageFailed."""
        self.name = place.name
        self._place = place
        self._writable = writable
        self._write_lock, self._read_lock = RLock(), RLock()
        self._id, self._turn = token_hex(8), 0
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        self.identity = ""
        if writable:
            self._writer = self._open_writer()
        self._reader = self._open_reader()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if not self._writable:
            raise StorageFailed("the log was opened read-only", remedy="open it for writing")
        with self._write_lock:
            db, asked = self._begin(), False
            try:
                with db.pipeline() as line:
                    yield PostgresTransaction(db, line)
                    asked = True
                    db.execute(_TURN, (self._id, self._turn + 1))
                    db.execute("COMMIT")
            except BaseException as error:
                self._abandon(db)
                if not isinstance(error, (Error, OSError)):
                    raise
                if not is_lost(error):
                    raise failed(self.name, error) from error
                if not (asked and self._committed(error)):
                    raise vanished(self.name, error) from error
            self._turn += 1

    def _begin(self) -> Connection:
        """Inside a transaction that holds the log's lock.

        Tried once more where the line was dead, or another writer hung with the lock.
        """
        for attempt in (1, 2):
            db = self._writer = self._writer or self._open_writer()
            try:
                db.execute(_BEGIN)
            except (Error, OSError) as error:
                self._abandon(db)
                if attempt == 2 or not (is_lost(error) or self._took(error)):
                    raise failed(self.name, error) from error
            else:
                return db
        raise AssertionError("unreachable")

    def _took(self, error: Failure) -> bool:
        """Whether the lock was awaited in vain, and taken from a writer that hangs."""
        if not isinstance(error, LockNotAvailable) or self._writer is None:
            return False
        row = self._writer.execute(_TAKE).fetchone()
        return row is not None and bool(row[0])

    def _committed(self, error: Failure) -> bool:
        """Whether the transaction stands whose COMMIT got no answer.

        Asked under the log's lock, which a server still busy with that COMMIT holds.
        """
        end = monotonic() + _SETTLE_S
        while True:
            try:
                db = self._begin()
                row = db.execute("SELECT turn FROM writer WHERE id = %s", (self._id,)).fetchone()
                db.execute("ROLLBACK")
            except (Error, OSError, StorageFailed):
                if monotonic() > end:
                    raise unknown(self.name, error) from error
                sleep(_RETRY_S)
            else:
                return row is not None and row[0] == self._turn + 1

    def _abandon(self, db: Connection) -> None:
        """Rolls back; a connection that cannot is given up, and its server side with it."""
        with suppress(Error, OSError):
            db.execute("ROLLBACK")
            return
        self._writer = None
        with suppress(Error, OSError):
            db.close()

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._read_lock:
            for attempt in (1, 2):
                try:
                    if self._reader is None:
                        self._reader = self._open_reader()
                    return self._reader.execute(spoken(sql), args, binary=True).fetchall()
                except (Error, OSError) as error:
                    if is_lost(error):
                        self._reader = None
                    if attempt == 2 or not is_lost(error):
                        raise failed(self.name, error) from error
        raise AssertionError("unreachable")

    def forget(self, table: str, column: str, value: int) -> None:
        """What older transactions still see, archives and backups keep it: sealed."""
        with self._write_lock:
            with self.transaction() as tx:
                tx.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,))
            db = self._writer = self._writer or self._open_writer()
            try:
                db.execute(SQL("VACUUM {}").format(Identifier(table)))
            except (Error, OSError) as error:
                raise failed(self.name, error) from error

    def failed(self, error: Exception) -> StorageFailed:
        return failed(self.name, error)

    def close(self) -> None:
        with self._write_lock, self._read_lock, suppress(Error, OSError):
            if self._reader is not None:
                self._reader.close()
            if self._writer is not None:
                self._writer.execute("DELETE FROM writer WHERE id = %s", (self._id,))
                self._writer.close()

    def _open_writer(self) -> Connection:
        def prepare(db: Connection) -> None:
            if not self.identity:
                create_if_empty(db)
            self._recognise(db)
            db.execute(_SESSION)
            demand_fsync(db, self.name)
            db.execute(_FORGET)

        return self._open(prepare)

    def _open_reader(self) -> Connection:
        def prepare(db: Connection) -> None:
            self._recognise(db)
            db.execute("SET default_transaction_read_only = on")

        return self._open(prepare)

    def _open(self, prepare: Callable[[Connection], None]) -> Connection:
        """A connection that `prepare` has accepted; closed again where it raises."""
        db = self._place.connect()
        try:
            prepare(db)
        except BaseException as error:
            db.close()
            if isinstance(error, Error):
                raise failed(self.name, error) from error
            raise
        return db

    def _recognise(self, db: Connection) -> None:
        """The database found again must be the one that was opened."""
        found = check_version(db, self.name)
        if self.identity and found != self.identity:
            raise StorageFailed(
                f"{self.name} holds another log than when it was opened",
                remedy="put back the database, or open the log anew",
                store=self.name,
            )
        self.identity = found
