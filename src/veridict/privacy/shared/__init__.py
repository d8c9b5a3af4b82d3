"""A vault in PostgreSQL, for nodes on several hosts: each host has a key of its own.

The master key stands in the database once a host, sealed to that host's key. Destroying a
subject's key draws a new master key, seals it to every host, and wraps all pages under it. Each
host then turns: draws a new key of its own, has the master key sealed to it, and overwrites the
old one. Once all have turned, older copies of the destroyed key, in dead rows, write-ahead logs,
standbys and backups, are wrapped under what exists nowhere; `behind` names who has yet to.

    state   one row: version, identity, generation of the master key, keyed-hash key, changes
    page    a wrapped key for 256 slots each
    slot    a wrapped key for one subject each
    host    whose the copies of the master key are; a MAC under it says that it knew them
"""

from __future__ import annotations

from pathlib import Path

from veridict.privacy.shared.slots import SharedSlots
from veridict.privacy.vault import SubjectVault

__all__ = ["SharedVault"]


class SharedVault(SubjectVault):
    """The vault in the database at `url`; this host's own key lies in `directory`."""

    def __init__(self, url: str, directory: Path, *, writable: bool = True) -> None:
        """Begins the vault where the database holds none. Raises StorageFailed, BadInput."""
        self._url, self._directory = url, directory
        slots = SharedSlots(url, directory, writable=writable)
        super().__init__(slots, slots.name)

    def beside(self) -> SharedVault:
        return SharedVault(self._url, self._directory, writable=False)
