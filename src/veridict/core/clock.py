"""The wall clock, told once, and the law that a log's times do not go back.

A clock that falls back a little (it was set right, or two machines differ) stands
still until it has caught up: no record is dated before the one that it follows.
One that falls back further is wrong, or was wrong before, and nobody but its
keeper knows which: nothing is written until it is mended.
"""

from __future__ import annotations

from threading import Lock
from time import time_ns

from veridict.core.errors import ClockBehind
from veridict.core.ports import Clock

TOLERATED_MS = 60_000


def wall_clock_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time_ns() // 1_000_000


class SteadyClock:
    """`clock`, but never before a time that it told or was told. Thread-safe."""

    def __init__(self, clock: Clock = wall_clock_ms) -> None:
        self._clock = clock
        self._last_ms = 0
        self._lock = Lock()

    def __call__(self) -> int:
        """Raises ClockBehind where the clock is more than a minute behind."""
        now = self._clock()
        with self._lock:
            if now < self._last_ms - TOLERATED_MS:
                raise ClockBehind(
                    f"this machine's clock is {(self._last_ms - now) // 1000} s behind the log's"
                    " last record",
                    remedy="set the clock; if it is right, another writer's clock was ahead, and"
                    " the log goes on once the time is past",
                    now_ms=now,
                    last_ms=self._last_ms,
                )
            self._last_ms = max(self._last_ms, now)
            return self._last_ms

    def after(self, time_ms: int) -> None:
        """From now on nothing is dated before `time_ms`, which the log holds already."""
        with self._lock:
            self._last_ms = max(self._last_ms, time_ms)
