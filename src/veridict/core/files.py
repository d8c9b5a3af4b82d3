"""Small files that are whole or not there, and secrets that only their owner reads.

A file is written beside its place, flushed to the disk and moved into it, so that a
crash leaves the old one or the new one. All functions raise OSError; who calls them
says what to do about it.
"""

from __future__ import annotations

import os
from pathlib import Path

from veridict.core.errors import StorageFailed

SECRET = 0o600
PLAIN = 0o644
_OTHERS = 0o077


def replace_file(path: Path, data: bytes, *, mode: int = PLAIN) -> None:
    """Puts `data` at `path`, in place of what was there."""
    fresh = _write_beside(path, data, mode)
    try:
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync(path.parent)


def create_file(path: Path, data: bytes, *, mode: int = PLAIN) -> bool:
    """Puts `data` at `path` unless somebody else was first: two starters agree on one file.

    Returns whether the file is this one.
    """
    fresh = _write_beside(path, data, mode)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    sync(path.parent)
    return True


def sync(path: Path) -> None:
    """Makes durable the bytes of a file that was written, or the names in a directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def must_be_private(path: Path) -> None:
    """Raises StorageFailed where others than the owner may read the file."""
    if path.stat().st_mode & _OTHERS:
        raise StorageFailed(
            f"{path.name} can be read by others than its owner",
            remedy=f"replace it, or run chmod 600 {path.name} if nobody can have read it",
            path=str(path),
        )


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh
