"""The vault of a home: a folder, which nodes of one machine may share, or a database for many."""

from __future__ import annotations

from contextlib import closing

from veridict.apps.settings import Settings
from veridict.core.errors import MissingPart
from veridict.privacy.vault import FileVault, SubjectVault


def open_vault(settings: Settings, *, writable: bool = True) -> SubjectVault:
    """Where it is opened for writing, created if need be. Raises StorageFailed, MissingPart."""
    if settings.shared_vault is None:
        return FileVault(settings.vault, writable=writable)
    try:
        from veridict.privacy.shared import SharedVault
    except ImportError as error:
        raise MissingPart(
            "vaults in PostgreSQL need psycopg", remedy="pip install 'veridict[postgres]'"
        ) from error
    return SharedVault(settings.shared_vault, settings.vault, writable=writable)


def hosts_behind(settings: Settings) -> list[str]:
    """Hosts that have yet to give up what could open a backup from before the last erasure."""
    with closing(open_vault(settings, writable=False)) as vault:
        return vault.behind()
