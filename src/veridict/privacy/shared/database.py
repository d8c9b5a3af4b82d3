"""The vault's database: its tables, its connections, and sqlite3's words for psycopg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import Connection, Cursor, Error, connect
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from veridict.core.errors import BadInput, StorageFailed

VERSION = 1
_TABLES = """
CREATE TABLE state (
  version int NOT NULL, id text NOT NULL, generation bigint NOT NULL,
  next_slot bigint NOT NULL, names bytea NOT NULL, changes bigint NOT NULL
);
CREATE TABLE page (page bigint PRIMARY KEY, box bytea NOT NULL);
CREATE TABLE slot (
  slot bigint PRIMARY KEY, subject bytea NOT NULL, retired int NOT NULL, box bytea NOT NULL
);
CREATE INDEX slot_subject ON slot (subject);
CREATE TABLE host (
  id text PRIMARY KEY,
  turn bigint NOT NULL,    -- number of its key
  turned bigint NOT NULL,  -- generation in which it drew it
  public bytea NOT NULL, box bytea NOT NULL, mac bytea NOT NULL
);
"""
_CREATING = 0x76647431  # advisory lock: two that open an empty database at once
_SESSION = """
SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '15s';
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""
_DEFAULTS = {
    "application_name": "veridict vault", "connect_timeout": 10,
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
}  # fmt: skip


class Spoken:
    """A psycopg connection with sqlite3's words. Our statements hold no ? as text."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Cursor[Any]:
        return self.connection.execute(_marked(sql), args)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(_marked(sql), rows)


def _marked(sql: str) -> LiteralString:
    return sql.replace("?", "%s")


def holds_vault(db: Connection) -> bool:
    """Asked in a transaction, until whose end nobody else begins one here."""
    db.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATING,))
    return db.execute("SELECT to_regclass('slot_subject')").fetchone() != (None,)


def create_tables(db: Connection) -> None:
    db.execute(_TABLES)


def opened(conninfo: str, name: str) -> Connection:
    """A connection without transactions of its own making. Raises StorageFailed, psycopg.Error."""
    db = connect(conninfo, autocommit=True)
    try:
        db.execute(_SESSION)
        if db.execute("SHOW fsync").fetchone() != ("on",):
            raise StorageFailed(
                f"{name}: the database acknowledges what is not on disk",
                remedy="set fsync = on in its postgresql.conf and restart it",
                store=name,
            )
    except BaseException:
        db.close()
        raise
    return db


def identity(db: Connection, name: str) -> str:
    row = db.execute("SELECT version, id FROM state").fetchone()
    if row is None or row[0] != VERSION:
        raise StorageFailed(
            f"{name} holds no vault of version {VERSION}",
            remedy="open it with the release that wrote it",
            store=name,
        )
    return str(row[1])


def place_of(url: str) -> tuple[str, str]:
    """A name to show, and what libpq connects with, which may hold a password. Raises BadInput."""
    try:
        given = conninfo_to_dict(url)
    except Error:
        raise BadInput(
            "the vault is no URL of a PostgreSQL database",
            remedy="write it as postgresql://user@host:5432/database",
        ) from None
    host = given.get("host") or given.get("hostaddr") or given.get("service") or "local"
    database = given.get("dbname") or given.get("user") or ""
    whole: dict[str, Any] = {**_DEFAULTS, **given}
    return f"{host}/{database}", make_conninfo("", **whole)
