"""The one secret that must be physically forgotten: 32 bytes in a file, replaced at every erasure.

    prepare  the next key stands beside the current one
    (the keys are wrapped anew, in one transaction)
    settle   the old key is overwritten, the next takes its place

A kill between any two of them leaves the key that the wrapped keys need: both files
say which generation they are, and the transaction says which one counts.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from veridict.core.files import SECRET, must_be_private, sync

CURRENT, NEXT = "master.key", "master.next"
KEY_BYTES = 32


class MasterKey:
    """The two files of one vault's directory; by other `names`, of a host's own key."""

    def __init__(self, directory: Path, names: tuple[str, str] = (CURRENT, NEXT)) -> None:
        self._current, self._next = (directory / name for name in names)

    def create(self) -> bytes:
        """A fresh key of generation 0."""
        key = secrets.token_bytes(KEY_BYTES)
        _write(self._current, 0, key)
        return key

    def load(self, generation: int) -> bytes | None:
        """The key of this generation; None where neither file has it."""
        for path in (self._current, self._next):
            found = _read(path)
            if found is not None and found[0] == generation:
                return found[1]
        return None

    def prepare(self, generation: int) -> bytes:
        """Writes a fresh key beside the current one, which is the last generation's.

        Another process may have died before it settled that one.
        """
        self.settle(generation - 1)
        key = secrets.token_bytes(KEY_BYTES)
        _forget(self._next)
        _write(self._next, generation, key)
        return key

    def settle(self, generation: int) -> None:
        """From now on there is one key, this generation's. Repeatable."""
        found = _read(self._next)
        if found is None:
            return
        if found[0] == generation:
            _overwrite(self._current)
            self._next.replace(self._current)
        else:  # its transaction never came
            _forget(self._next)
        sync(self._current.parent)


def _read(path: Path) -> tuple[int, bytes] | None:
    """(generation, key); None where the file is missing or torn."""
    try:
        must_be_private(path)
        generation, _, key = path.read_text("ascii", errors="replace").strip().partition(" ")
        found = int(generation), bytes.fromhex(key)
    except (FileNotFoundError, ValueError):
        return None
    return found if len(found[1]) == KEY_BYTES else None


def _write(path: Path, generation: int, key: bytes) -> None:
    """In place from the first byte: a kill leaves no copy beside it that nobody would forget."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET)
    with os.fdopen(fd, "w") as file:
        file.write(f"{generation} {key.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def _overwrite(path: Path) -> None:
    """In place, so that the blocks that held the key hold it no longer."""
    if not path.exists():
        return
    with path.open("r+b", buffering=0) as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        os.fsync(file.fileno())


def _forget(path: Path) -> None:
    _overwrite(path)
    path.unlink(missing_ok=True)
