"""What a member keeps on disk: states, drafts of its own, and the posts it has seen.

A draft is durable before its commitment is sent, so a member that was killed reveals what it
committed to. States are named by their digest; posts of old rounds are dropped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

from veridict.core.errors import StorageFailed
from veridict.services.federation.posts import Place

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draft (
    round INTEGER PRIMARY KEY, body BLOB NOT NULL, salt BLOB NOT NULL, note TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS post (
    round INTEGER NOT NULL, kind TEXT NOT NULL, sender INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (round, kind, sender)
);
CREATE TABLE IF NOT EXISTS spent (round INTEGER PRIMARY KEY);
"""
_KEPT_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """What a member commits to in a round; `note` says how it came to be."""

    body: bytes
    salt: bytes
    note: str = ""

    @property
    def digest(self) -> bytes:
        return sha256(self.body).digest()


class Shelf:
    """One file; thread-safe. Raises StorageFailed."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, RLock()
        with self._errors():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)

    def put_state(self, state: bytes) -> bytes:
        """Its digest."""
        digest = sha256(state).digest()
        self._run("INSERT OR IGNORE INTO state VALUES (?, ?)", digest, state)
        return digest

    def state(self, digest: bytes) -> bytes | None:
        rows = self._all("SELECT bytes FROM state WHERE digest = ?", digest)
        return rows[0][0] if rows else None

    def put_draft(self, round_: int, draft: Draft) -> None:
        """Durable on return; a round's first draft stays."""
        self._run(
            "INSERT OR IGNORE INTO draft VALUES (?, ?, ?, ?)",
            *(round_, draft.body, draft.salt, draft.note),
        )

    def draft(self, round_: int) -> Draft | None:
        rows = self._all("SELECT body, salt, note FROM draft WHERE round = ?", round_)
        return Draft(*rows[0]) if rows else None

    def spend(self, round_: int) -> int:
        """Durable on return: noise was drawn for a round. In how many it was, over all time."""
        self._run("INSERT OR IGNORE INTO spent VALUES (?)", round_)
        return self.spent()

    def spent(self) -> int:
        return int(self._all("SELECT count(*) FROM spent")[0][0])

    def put_post(self, round_: int, place: Place, data: bytes) -> bool:
        """Whether it is new. The first at a place stays."""
        kind, sender = place
        sql = "INSERT OR IGNORE INTO post VALUES (?, ?, ?, ?)"
        return self._run(sql, round_, kind, sender, data) > 0

    def posts(self, round_: int, kind: str) -> dict[int, bytes]:
        """By sender."""
        rows = self._all("SELECT sender, data FROM post WHERE round = ? AND kind = ?", round_, kind)
        return dict(rows)

    def places(self, round_: int) -> frozenset[Place]:
        return frozenset(self._all("SELECT kind, sender FROM post WHERE round = ?", round_))

    def others(self, round_: int, have: frozenset[Place]) -> list[bytes]:
        rows = self._all("SELECT kind, sender, data FROM post WHERE round = ?", round_)
        return [data for kind, sender, data in rows if (kind, sender) not in have]

    def forget(self, round_: int) -> None:
        """Drop posts and drafts that no round can need any more; round 0 is everybody's cards."""
        for table in ("post", "draft"):
            self._run(f"DELETE FROM {table} WHERE round > 0 AND round < ?", round_ - _KEPT_ROUNDS)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _run(self, sql: str, *args: object) -> int:
        with self._lock, self._errors():
            return self._db.execute(sql, args).rowcount

    def _all(self, sql: str, *args: object) -> list[Any]:
        with self._lock, self._errors():
            return self._db.execute(sql, args).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageFailed(
                f"{self._path.name}: {error}",
                remedy="free the disk or mend the folder's rights, then go on",
            ) from error
