"""Payments that somebody asks about and waits for: over HTTP, each answered with its decision.

What is asked waits in a queue with an end: beyond it the answer is that there is too much, and the
same question may be asked again. There is no cursor: who got no answer asks with the same id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from threading import Condition

from veridict.core.errors import Busy, StorageFailed, VeridictError
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome
from veridict.watch.feeds.normal import Event

MAX_WAITING = 4096


@dataclass(slots=True)
class PostedFeed:
    """A `Feed`, asked from any thread."""

    name: str = "http"
    live: bool = True
    ended: bool = False
    most: int = MAX_WAITING
    _queue: deque[tuple[Item, Future[Outcome] | None]] = field(default_factory=deque)
    _asked: list[Future[Outcome] | None] = field(default_factory=list)
    _changed: Condition = field(default_factory=Condition)

    def offer(self, event: Event) -> Future[Outcome]:
        """Done when the payment is decided and on disk. Raises Busy, StorageFailed when closed."""
        future: Future[Outcome] = Future()
        with self._changed:
            if self.ended:
                raise StorageFailed("the node is closing", remedy="send it again to the next one")
            if len(self._queue) >= self.most:
                raise Busy(
                    f"{len(self._queue)} payments wait for a decision",
                    remedy="send the same payment again in a second",
                )
            self._queue.append((Arrived("", event), future))
            self._changed.notify()
        return future

    def refused(self, drop: Dropped) -> None:
        """Something was sent that is no payment: the sender was told, and the log will be."""
        with self._changed:
            if not self.ended and len(self._queue) < self.most:
                self._queue.append((drop, None))
                self._changed.notify()

    def start(self, cursor: str) -> None:
        """Nothing to go on behind."""

    def pull(self, most: int, wait_s: float) -> Sequence[Item]:
        with self._changed:
            if not self._queue and not self.ended:
                self._changed.wait(wait_s)
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        self._asked = [future for _, future in taken]
        return [item for item, _ in taken]

    def told(self, outcomes: Sequence[Outcome]) -> None:
        for future, outcome in zip(self._asked, outcomes, strict=True):
            if future is not None and not future.cancelled():
                _set(future, outcome)
        self._asked = []

    def failed(self, problem: Exception) -> None:
        """What was pulled cannot be decided now; each who waits gets an error of their own."""
        for future in self._asked:
            if future is not None and not future.cancelled():
                _raise(future, problem)
        self._asked = []

    def close(self) -> None:
        """Nothing more is taken; what waits is told so."""
        with self._changed:
            self.ended = True
            waiting, self._queue = list(self._queue), deque()
            self._changed.notify_all()
        closing = StorageFailed("the node is closing", remedy="send it again to the next one")
        for _, future in waiting:
            if future is not None:
                _raise(future, closing)


def _set(future: Future[Outcome], outcome: Outcome) -> None:
    try:
        future.set_result(outcome)
    except InvalidStateError:  # who asked has gone meanwhile
        return


def _raise(future: Future[Outcome], problem: Exception) -> None:
    mine = problem
    if isinstance(problem, VeridictError):
        mine = type(problem)(problem.message, remedy=problem.remedy, **problem.facts)
        mine.__cause__ = problem
    try:
        future.set_exception(mine)
    except InvalidStateError:
        return
