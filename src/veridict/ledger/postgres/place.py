"""Where a shared log is kept: a libpq URL, of which only the harmless part is ever shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection, Error, connect
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from veridict.core.errors import BadInput
from veridict.ledger.postgres.failures import failed

# A peer that vanished is noticed in half a minute, not in the two hours that TCP allows.
_DEFAULTS = {
    "application_name": "veridict",
    "connect_timeout": 10,  # s
    "keepalives_idle": 10,  # s
    "keepalives_interval": 5,  # s
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # ms
}


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is for people and logs; `conninfo` may hold a password and is never shown."""

    name: str
    conninfo: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Place:
        """Raises BadInput, which does not repeat the URL: it may hold a password."""
        try:
            given = conninfo_to_dict(url)
        except Error:
            given = {}
        if not url.startswith(("postgresql://", "postgres://")) or not given:
            raise BadInput(
                "the store is no URL of a PostgreSQL database",
                remedy="write it as postgresql://user@host:5432/database",
            ) from None
        whole: dict[str, Any] = {**_DEFAULTS, **given}
        host = given.get("host") or given.get("hostaddr") or given.get("service") or "local"
        database = given.get("dbname") or given.get("user") or ""
        port = f":{given['port']}" if given.get("port") else ""
        return cls(f"{host}{port}/{database}", make_conninfo("", **whole))

    def connect(self) -> Connection:
        """A connection without transactions of its own making. Raises StorageFailed."""
        try:
            return connect(self.conninfo, autocommit=True)
        except (Error, OSError) as error:
            raise failed(self.name, error) from error
