"""Which store a log has: the file in its directory, or the shared database named by a URL.

One key must never sign two logs. So the directory remembers (`log.store`) that its
log is kept in a database, and neither goes back to a file nor on to another database.
"""

from __future__ import annotations

from pathlib import Path

from veridict.core.errors import BadInput, MissingPart
from veridict.ledger.schema import storage_errors
from veridict.ledger.sqlite import FILE, SqliteStore
from veridict.ledger.store import Store

NOTE = "log.store"  # "identity name": of the database in which this directory's log is kept


def store_of(directory: Path, url: str | None, *, writable: bool) -> Store:
    """Raises StorageFailed; BadInput where the directory's log is kept elsewhere; MissingPart."""
    noted = _noted(directory)
    if url is None:
        if noted is not None:
            raise BadInput(
                f"this log is kept in the database {noted[1]}",
                remedy="set VERIDICT_STORE to its URL",
                store=noted[1],
            )
        return SqliteStore(directory, writable=writable)
    if (directory / FILE).exists():
        raise BadInput(
            f"this directory holds a log of its own in {FILE}",
            remedy="move it with `veridict log move`, or unset VERIDICT_STORE",
            path=str(directory / FILE),
        )
    return _shared(directory, url, noted, writable=writable)


def database(url: str, *, writable: bool) -> Store:
    """The store in the database at `url`. Raises BadInput, StorageFailed, MissingPart."""
    try:
        from veridict.ledger.postgres import Place, PostgresStore
    except ImportError as error:
        raise MissingPart(
            "logs in PostgreSQL need psycopg", remedy="pip install 'veridict[postgres]'"
        ) from error
    return PostgresStore(Place.parse(url), writable=writable)


def note(directory: Path, store: Store) -> None:
    """From now on the directory's log is the one in this database."""
    with storage_errors(directory):
        (directory / NOTE).write_text(f"{store.identity} {store.name}\n")


def _shared(directory: Path, url: str, noted: tuple[str, str] | None, *, writable: bool) -> Store:
    store = database(url, writable=writable)
    try:
        if noted is not None and noted[0] != store.identity:
            raise BadInput(
                f"{store.name} holds another log than this directory's, which is in {noted[1]}",
                remedy="mend VERIDICT_STORE, or use another home",
                store=store.name,
            )
        if noted is None and writable:
            note(directory, store)
    except BaseException:
        store.close()
        raise
    return store


def _noted(directory: Path) -> tuple[str, str] | None:
    path = directory / NOTE
    with storage_errors(path):
        if not path.exists():
            return None
        identity, _, name = path.read_text(errors="replace").strip().partition(" ")
    return identity, name
