"""One writer a directory: an advisory lock that the kernel drops when its process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from veridict.core.errors import NodeRunning


class DirectoryLock:
    """Holds `path` until `release`. Raises NodeRunning where another holder lives."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            if not isinstance(error, BlockingIOError):
                raise
            raise NodeRunning(
                f"another process writes the log in {path.parent.name}",
                remedy="stop it, or open the log read-only",
                path=str(path.parent),
            ) from error

    def release(self) -> None:
        os.close(self._fd)
