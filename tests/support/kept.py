"""A log in either store: what a law's test opens, and what a tamperer has behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ledger import make_signer
from veridict.ledger.log import Log


@dataclass(frozen=True, slots=True)
class Kept:
    """The log's directory; `store` is its database's URL where it has one."""

    directory: Path
    store: str | None = None

    def open(self, **more: Any) -> Log:
        return Log.open(self.directory, **{"signer": make_signer(), "store": self.store, **more})

    def readonly(self) -> Log:
        return Log.open_readonly(self.directory, store=self.store)

    def change(self, sql: str, *args: object) -> int:
        """Runs `sql` where the log is kept, as someone with the right to; rows it touched."""
        if self.store is not None:
            with psycopg.connect(self.store) as db:
                return db.execute(sql.replace("?", "%s").encode(), args).rowcount
        with closing(sqlite3.connect(self.directory / "log.sqlite")) as file, file:
            return file.execute(sql, args).rowcount

    def value(self, sql: str, *args: object) -> Any:
        """The first column of the first row."""
        if self.store is not None:
            with psycopg.connect(self.store) as db:
                row = db.execute(sql.replace("?", "%s").encode(), args).fetchone()
                return row and row[0]
        with closing(sqlite3.connect(self.directory / "log.sqlite")) as file:
            return file.execute(sql, args).fetchone()[0]
