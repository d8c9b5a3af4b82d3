"""The lookup index: a side file, filled late, deleted and rebuilt at will, never trusted.

    leaf      8 bytes of the leaf hash → index
    request   keyed hash of the request id (`core.ports.Sealed.tag`) → index
    subject   number of the subject's key (`core.ports.Sealed.slot`) → index
    block     256 records: the times and sequence numbers between which theirs lie, their models

A random index inside the append transaction would cost ten times the append, so the
file lags behind the log and catches up when it is asked, in whichever process asks.
Models and times are looked for block by block: that costs 100 bytes for 256 records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from veridict.core.nouns import RECORD_BYTES, RECORD_KIND, TRIAL_KIND
from veridict.ledger.sqlite import insert
from veridict.ledger.store import Store
from veridict.ledger.tiles import TILE_WIDTH
from veridict.proofs.merkle import HASH_BYTES

FILE = "lookup.sqlite"
BLOCK = TILE_WIDTH  # so that a block's leaf hashes are one tile
_VERSION = 3
_KEYED = "(key INTEGER, idx INTEGER, PRIMARY KEY (key, idx)) STRICT, WITHOUT ROWID"
_TABLES = f"""
CREATE TABLE leaf {_KEYED};
CREATE TABLE request {_KEYED};
CREATE TABLE subject {_KEYED};
CREATE TABLE block (
  n INTEGER PRIMARY KEY,
  time_first INTEGER, time_last INTEGER, sequence_first INTEGER, sequence_last INTEGER,
  models BLOB NOT NULL  -- 8 bytes of each model's id
) STRICT;
CREATE TABLE progress (next_index INTEGER NOT NULL, leaf BLOB NOT NULL) STRICT;
INSERT INTO progress VALUES (0, x'');
PRAGMA user_version = {_VERSION};
"""
_KEY_BYTES = 8
Span = tuple[int, int] | None  # from, to: both belong to it
_BUSY_S = 10.0
_AT_ONCE = 64 * BLOCK  # records a transaction: the more, the fewer pages are written twice


@dataclass(frozen=True, slots=True)
class Facts:
    """What a record says of itself, as far as it is looked up by it; None where it says nothing."""

    time_ms: int | None = None
    sequence: int | None = None
    model: bytes | None = None


class _Timed(msgspec.Struct, frozen=True):
    time_ms: int | None = None


_timed = msgspec.json.Decoder(_Timed)


def facts_of(body: bytes) -> Facts:
    """Of a prediction record all three, of a JSON record its time. Never raises."""
    if len(body) == RECORD_BYTES and body[0] == RECORD_KIND:  # core.nouns.PredictionRecord
        sequence, time_ms = int.from_bytes(body[8:16], "big"), int.from_bytes(body[16:24], "big")
        return Facts(time_ms, sequence, body[32:64])
    if len(body) == RECORD_BYTES and body[0] == TRIAL_KIND:  # its number counts something else
        return Facts(int.from_bytes(body[16:24], "big"), None, body[32:64])
    if body[:1] != b"{":
        return Facts()
    try:
        return Facts(_timed.decode(body).time_ms)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Facts()


def leaf_key(leaf: bytes) -> int:
    return int.from_bytes(leaf[:_KEY_BYTES], "big", signed=True)


class SideFile:
    """The file of one log, at one moment open. Raises sqlite3.Error; its caller holds a lock."""

    def __init__(self, path: Path, store: Store) -> None:
        """Creates the file. A damaged one, or one of another log or release, raises too."""
        self._store = store
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rwc",
            uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    @property
    def known(self) -> int:
        """How many records are indexed."""
        return self._progress()[0]

    def close(self) -> None:
        self._db.close()

    def indices(
        self, table: str, key: int, start: int, stop: int, *, newest: bool, most: int
    ) -> list[int]:
        """Up to `most` indexes start .. stop - 1 under `key`, in order or newest first."""
        order = "DESC" if newest else "ASC"
        sql = f"SELECT idx FROM {table} WHERE key = ? AND idx >= ? AND idx < ?"
        rows = self._db.execute(f"{sql} ORDER BY idx {order} LIMIT ?", (key, start, stop, most))
        return [index for (index,) in rows]

    def firsts(self, table: str, keys: Sequence[int], stop: int) -> dict[int, int]:
        """The first index below `stop` of each of a few hundred `keys` that has one."""
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT key, min(idx) FROM {table} WHERE key IN ({marks}) AND idx < ? GROUP BY key"
        return dict(self._db.execute(sql, (*keys, stop)))

    def blocks(self, stop: int, model: bytes | None, times: Span, sequences: Span) -> list[int]:
        """Numbers below `stop` of the blocks that may hold such records; None means any."""
        sql = "SELECT n, models FROM block WHERE n < ?"
        args = [stop]
        for name, span in (("time", times), ("sequence", sequences)):
            if span is not None:
                sql += f" AND {name}_last >= ? AND {name}_first <= ?"
                args += span
        rows = self._db.execute(f"{sql} ORDER BY n", args)
        return [n for n, models in rows if model is None or _has(models, model)]

    def catch_up(self, size: int) -> None:
        """Indexes what is missing of the first `size` records. Others may do so beside us."""
        while self._progress()[0] < size:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                start, _ = self._progress()  # read under the lock, like all that follows
                stop = min(size, start // BLOCK * BLOCK + _AT_ONCE)
                if start < stop:
                    self._index(start, stop)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def forget(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Removes (index, slot, tag) of erased payloads, also from what SQLite leaves behind."""
        self._db.execute("BEGIN IMMEDIATE")
        for index, slot, tag in rows:
            self._db.execute("DELETE FROM subject WHERE key = ? AND idx = ?", (slot, index))
            self._db.execute("DELETE FROM request WHERE key = ? AND idx = ?", (tag, index))
        self._db.execute("COMMIT")
        self._db.execute("VACUUM")  # SQLite leaves copies of keys in pages that it once split
        (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("a reader keeps what was deleted in use")

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError("the side file is another release's")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA secure_delete = ON")
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
        known, leaf = self._progress()
        if known > self._store.tree_size() or leaf != self._leaf_before(known):
            raise sqlite3.DatabaseError("the side file is another log's")

    def _progress(self) -> tuple[int, bytes]:
        known, leaf = self._db.execute("SELECT next_index, leaf FROM progress").fetchone()
        return int(known), bytes(leaf)

    def _leaf_before(self, index: int) -> bytes:
        """Leaf hash index - 1; empty before the first and where its tile is gone."""
        tile = self._store.tile(0, (index - 1) // BLOCK) if index else None
        at = (index - 1) % BLOCK * HASH_BYTES
        return tile.hashes[at : at + HASH_BYTES] if tile else b""

    def _index(self, start: int, stop: int) -> None:
        first = start // BLOCK  # the first block may have grown: it is made again
        blocks: list[Any] = []
        leaves: list[tuple[int, int]] = []
        for number in range(first, (stop - 1) // BLOCK + 1):
            tile = self._store.tile(0, number)
            rows = self._store.rows(
                "SELECT idx, body FROM record WHERE idx >= ? AND idx < ? ORDER BY idx",
                (number * BLOCK, min(stop, (number + 1) * BLOCK)),
            )
            blocks += _block(number, [facts_of(body) for _, body in rows])
            for index in range(max(start, number * BLOCK), min(stop, (number + 1) * BLOCK)):
                at = index % BLOCK * HASH_BYTES
                if tile is not None and at < len(tile.hashes):
                    leaves.append((leaf_key(tile.hashes[at : at + HASH_BYTES]), index))
        personal = self._store.rows(
            "SELECT idx, slot, tag FROM payload WHERE idx >= ? AND idx < ?", (start, stop)
        )
        self._enter("leaf", leaves)
        self._enter("subject", [(slot, index) for index, slot, _ in personal])
        self._enter("request", [(tag, index) for index, _, tag in personal])
        insert(self._db, "INSERT OR REPLACE INTO block", 6, blocks)
        leaf = self._leaf_before(stop)
        self._db.execute("UPDATE progress SET next_index = ?, leaf = ?", (stop, leaf))

    def _enter(self, table: str, pairs: list[tuple[int, int]]) -> None:
        """In the order of their keys, so that each page is found once."""
        values = [value for pair in sorted(pairs) for value in pair]
        insert(self._db, f"INSERT OR IGNORE INTO {table} (key, idx)", 2, values)


def _has(models: bytes, model: bytes) -> bool:
    """Compared eight bytes by eight: a match across two models is none."""
    kept = (models[at : at + _KEY_BYTES] for at in range(0, len(models), _KEY_BYTES))
    return model[:_KEY_BYTES] in kept


def _block(number: int, facts: Sequence[Facts]) -> list[Any]:
    times = [fact.time_ms for fact in facts if fact.time_ms is not None]
    sequences = [fact.sequence for fact in facts if fact.sequence is not None]
    models = {fact.model[:_KEY_BYTES] for fact in facts if fact.model is not None}
    return [
        number,
        min(times, default=None),
        max(times, default=None),
        min(sequences, default=None),
        max(sequences, default=None),
        b"".join(sorted(models)),
    ]
