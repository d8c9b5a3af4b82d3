"""A log in either store: what a law's test opens, and what a tamperer has behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ledger import make_signer, make_vault
from veridict.ledger.log import Log
from veridict.privacy.vault import FileVault


@dataclass(frozen=True, slots=True)
class Kept:
    """The log's directory; `store` is its database's URL where it has one."""

    directory: Path
    store: str | None = None

    def open(self, **more: Any) -> Log:
        given = {"signer": make_signer(), "store": self.store, **more}
        vault = given.pop("vault", None) or make_vault(self.directory)
        return Log.open(self.directory, vault=vault, **given)

    def readonly(self) -> Log:
        vault = FileVault.open_readonly(self.directory / "vault")
        return Log.open_readonly(self.directory, store=self.store, vault=vault)

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
