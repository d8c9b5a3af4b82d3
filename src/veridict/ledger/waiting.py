"""Who waits for an acknowledgement, and how it reaches them: one delivery a batch.

A loop is woken once for all of its coroutines whose records are in a batch;
threads have their futures set one by one. An outcome that is an exception is raised there.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from veridict.core.ports import Personal


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the entries stand: `first_index` .. `first_index + count - 1`.

    `bodies` as they were written, where the log finishes them (`Finish`).
    """

    first_index: int
    count: int
    bodies: tuple[bytes, ...] | None = None


class Waiter(Protocol):
    """Who is told on an event loop, an `asyncio.Future` or what is lighter. Must not raise."""

    def done(self) -> bool:
        """Nobody waits any more."""

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: Any, /) -> None: ...


F = TypeVar("F", "Future[Any]", Waiter)


class Desk(Protocol[F]):
    """Hands outcomes to those of one kind who wait."""

    @abstractmethod
    def deliver(self, letters: list[tuple[F, object]]) -> None:
        """Called by the thread that writes, once a batch. Must not raise."""


@dataclass(slots=True)
class Job(Generic[F]):
    """One caller's entries, encoded: `payloads[i]` belongs to `bodies[i]`.

    One of no entries is answered once all before it are on disk.
    """

    bodies: list[bytes]
    payloads: list[Personal | None]
    future: F
    desk: Desk[F]


class ThreadDesk:
    """For futures that any thread may wait for."""

    def deliver(self, letters: list[tuple[Future[Any], object]]) -> None:
        for future, outcome in letters:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


class LoopDesk:
    """For those who wait on one event loop, coroutines as a rule."""

    __slots__ = ("loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def deliver(self, letters: list[tuple[Waiter, object]]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.loop.call_soon_threadsafe(_open, letters)


THREADS = ThreadDesk()


def promise() -> Future[Any]:
    """A future for `THREADS`: what is submitted cannot be recalled."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def _open(letters: list[tuple[Waiter, object]]) -> None:
    for waiter, outcome in letters:
        if waiter.done():  # its task was cancelled; the records stay
            continue
        if isinstance(outcome, Exception):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)
