"""Where a running node can be reached: a small file in its home, valid while its process lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

FILE = "node.json"
LOCK = "node.lock"


class Running(msgspec.Struct, frozen=True):
    """`rpc` is the chain's JSON-RPC URL, `web` the dashboard's."""

    pid: int
    web: str
    rpc: str


def running_node(home: Path) -> Running | None:
    """The node that runs in `home` in another process, if one does.

    Its lock says so, not its process id: the kernel drops the one with the
    process and may give the other to a stranger.
    """
    try:
        found = msgspec.json.decode((home / FILE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.pid != os.getpid() and _held(home / LOCK) else None


@contextmanager
def announced(home: Path, web: str, rpc: str) -> Iterator[Running]:
    """Say where this process can be reached, for as long as the block runs."""
    running = Running(os.getpid(), web, rpc)
    with (home / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for whoever is just looking
        fresh = home / f"{FILE}.new"
        fresh.write_bytes(msgspec.json.encode(running))
        fresh.replace(home / FILE)
        try:
            yield running
        finally:
            (home / FILE).unlink(missing_ok=True)


def _held(path: Path) -> bool:
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
