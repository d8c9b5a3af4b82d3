"""A log in PostgreSQL, which several nodes on several machines may write together."""

from veridict.ledger.postgres.place import Place
from veridict.ledger.postgres.store import PostgresStore

__all__ = ["Place", "PostgresStore"]
