"""What PostgreSQL's failures mean to an operator."""

from __future__ import annotations

from psycopg import Error, OperationalError

from veridict.core.errors import StorageFailed

_AWAY = ("the database does not answer", "see that it runs; the log goes on by itself")
_DAMAGED = ("the database is damaged", "put back a backup and audit it")

# Beginnings of SQLSTATE (PostgreSQL's manual, appendix A) → what happened, what to do.
_CAUSES = (
    ("08", *_AWAY),
    ("57P", *_AWAY),
    ("53100", "the database's disk is full", "free space on it; the log goes on by itself"),
    ("53300", "the database has no connection left", "raise its max_connections"),
    ("53", "the database is short of resources", "see its log; the log goes on by itself"),
    ("28", "the database refuses this user", "mend the user's password or pg_hba.conf"),
    ("3D000", "there is no such database", "create it, or mend VERIDICT_STORE"),
    ("42501", "this user may not write there", "grant it the log's tables"),
    ("42P01", "the database holds no log", "open it once for writing, or mend VERIDICT_STORE"),
    ("25006", "the database is read-only", "name the primary server, not its standby"),
    ("25P03", "this writer fell silent in its transaction", "send it again; nothing was written"),
    ("55P03", "another writer holds the log too long", "see what hangs in pg_stat_activity"),
    ("40", "the database undid the transaction", "send it again"),
    ("23", "the database holds records the log did not write", "audit the log"),
    ("58", "the database's disk reports an error", "see its log and replace the disk"),
    ("XX00", *_DAMAGED),
)


def failed(name: str, error: Exception) -> StorageFailed:
    """`error` of the database called `name`, told to an operator. Shows no password."""
    cause = getattr(error, "sqlstate", None) or ""
    known = ((what, remedy) for start, what, remedy in _CAUSES if cause.startswith(start))
    otherwise = ("the database refuses", "see its log")
    if not isinstance(error, Error):
        otherwise = (str(error), "audit the log")
    if not cause and isinstance(error, (OperationalError, OSError)):
        otherwise = _reason(str(error))
    what, remedy = next(known, otherwise)
    return StorageFailed(
        f"{name}: {what}", remedy=remedy, store=name, cause=cause or type(error).__name__
    )


def is_lost(error: Exception) -> bool:
    """Whether the connection went with the error."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, OperationalError) and (
        state is None or state.startswith(("08", "57P"))
    )


def _reason(message: str) -> tuple[str, str]:
    """libpq tells failed connections in words alone, without an SQLSTATE."""
    if "does not exist" in message and "database" in message:
        return next((what, remedy) for state, what, remedy in _CAUSES if state == "3D000")
    if "authentication failed" in message or "pg_hba" in message or "no password" in message:
        return next((what, remedy) for state, what, remedy in _CAUSES if state == "28")
    if "too many clients" in message or "remaining connection slots" in message:
        return next((what, remedy) for state, what, remedy in _CAUSES if state == "53300")
    return _AWAY


def unknown(name: str, error: Exception) -> StorageFailed:
    """The answer to a COMMIT was lost, and nobody can be asked what came of it."""
    return StorageFailed(
        f"{name}: the database vanished while it committed; these records may stand or not",
        remedy="once it is back, look whether they do (`veridict log find`) before sending again",
        store=name,
        cause=type(error).__name__,
        outcome="unknown",
    )


def vanished(name: str, error: Exception) -> StorageFailed:
    """The connection went before COMMIT: surely nothing was written."""
    return StorageFailed(
        f"{name}: the database went away; nothing was written",
        remedy=_AWAY[1],
        store=name,
        cause=getattr(error, "sqlstate", None) or type(error).__name__,
    )


Failure = Error | OSError
