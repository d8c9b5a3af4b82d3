"""The log's tables in PostgreSQL: those of `ledger.schema`, and two for writing together.

veridict_log   one row, the version and the log's identity; locked while one writes
writer         how many transactions each writer committed, so that one that lost the
               answer to a COMMIT can see whether it came about
"""

from __future__ import annotations

from uuid import uuid4

from psycopg import Connection

from veridict.core.errors import StorageFailed
from veridict.ledger.schema import VERSION

TYPES = {  # of the columns that are inserted
    "idx": "int8", "body": "bytea", "slot": "int8", "tag": "int8", "payload": "bytea",
    "level": "int4", "n": "int8", "hashes": "bytea", "middle": "bytea",
    "key": "text", "value": "bytea",
    "chain_id": "int8", "contract": "text", "log_id": "bytea", "size": "int8", "root": "bytea",
    "time_ms": "int8", "note": "text", "time_s": "int8", "tx_hash": "text",
    "block_number": "int8", "block_hash": "text",
}  # fmt: skip

_TABLES = """
CREATE TABLE veridict_log (version int NOT NULL, id text NOT NULL);
CREATE TABLE writer (id text PRIMARY KEY, turn bigint NOT NULL, seen timestamptz NOT NULL);
CREATE TABLE record (idx bigint PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE payload (
  idx bigint PRIMARY KEY, slot bigint NOT NULL, tag bigint NOT NULL, payload bytea NOT NULL
);
CREATE TABLE tile (
  level int NOT NULL,
  n bigint NOT NULL,
  hashes bytea NOT NULL,
  middle bytea,
  PRIMARY KEY (level, n)
);
CREATE TABLE checkpoint (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  size bigint NOT NULL, time_ms bigint NOT NULL, note text NOT NULL
);
CREATE TABLE anchor (
  chain_id bigint NOT NULL, contract text NOT NULL, log_id bytea NOT NULL, size bigint NOT NULL,
  root bytea NOT NULL, time_s bigint NOT NULL, tx_hash text NOT NULL,
  block_number bigint NOT NULL, block_hash text NOT NULL,
  PRIMARY KEY (chain_id, contract, log_id, size)
);
CREATE TABLE meta (key text PRIMARY KEY, value bytea NOT NULL);
-- Hashes and ciphertext do not compress: trying costs time and gains nothing.
ALTER TABLE record ALTER body SET STORAGE EXTERNAL;
ALTER TABLE payload ALTER payload SET STORAGE EXTERNAL;
ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL, ALTER middle SET STORAGE EXTERNAL;
"""
_CREATING = 0x76647430  # advisory lock: two that open an empty database at once


def create_if_empty(db: Connection) -> None:
    """Creates the tables where there are none."""
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATING,))
        if not _exists(db):
            db.execute(_TABLES)
            db.execute("INSERT INTO veridict_log VALUES (%s, %s)", (VERSION, uuid4().hex))


def check_version(db: Connection, name: str) -> str:
    """The log's identity. Raises StorageFailed where there is no log of this version."""
    if not _exists(db):
        raise StorageFailed(
            f"{name} holds no log",
            remedy="open it once for writing, or mend VERIDICT_STORE",
            store=name,
        )
    row = db.execute("SELECT version, id FROM veridict_log").fetchone()
    if row is None or row[0] != VERSION:
        raise StorageFailed(
            f"{name} holds no log of version {VERSION}",
            remedy="open it with the release that wrote it, or choose another database",
            store=name,
            version=row[0] if row else None,
        )
    return str(row[1])


def demand_fsync(db: Connection, name: str) -> None:
    """Raises StorageFailed where the server acknowledges what is not on disk."""
    row = db.execute("SHOW fsync").fetchone()
    if row is None or row[0] != "on":
        raise StorageFailed(
            f"{name}: the database acknowledges what is not on disk",
            remedy="set fsync = on in its postgresql.conf and restart it",
            store=name,
        )


def _exists(db: Connection) -> bool:
    row = db.execute("SELECT to_regclass('veridict_log') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
