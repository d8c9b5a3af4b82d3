"""All places of one log. Each is tended in a thread of its own: none waits for another.

A place that cannot be reached, belongs to another chain, has no funds or lies is told with
its error, tried again ever more seldom, and holds up neither the others nor the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from veridict.core.errors import RpcUnavailable, VeridictError
from veridict.core.nouns import Anchor
from veridict.services.anchoring.places import Elsewhere
from veridict.services.anchoring.poster import Poster, Standing

OFTEN_S, SELDOM_S = 1.0, 15.0
RETRY_S, LONGEST_RETRY_S = 2.0, 120.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Berth:
    """One place of the fleet: its poster, as soon as it could be opened."""

    name: str
    open: Callable[[ExitStack], Poster]
    poster: Poster | None = None
    standing: Standing = Standing.IDLE
    problem: VeridictError | None = None
    last: tuple[Anchor, int] | None = None
    connections: ExitStack = field(default_factory=ExitStack)
    _due_s: float = 0.0
    _retry_s: float = RETRY_S
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _running: Future[None] | None = None

    def ready(self) -> Poster:
        """Opens the place at the first call that succeeds. Raises what hinders."""
        with self._opening:
            if self.poster is None:
                self.poster = self.open(self.connections)
            return self.poster

    def now(self, timeout_s: float = 120.0) -> tuple[Anchor, int] | None:
        """`Poster.now`; what hinders is raised and told."""
        try:
            done = self.ready().now(timeout_s=timeout_s)
        except VeridictError as problem:
            self.problem = problem
            raise
        self.problem, self.last = None, done or self.last
        return done

    def tend(self) -> None:
        """One step, and when to come again."""
        try:
            poster = self.ready()
            outcome = poster.step()
        except VeridictError as problem:
            if self.problem is None or self.problem.message != problem.message:
                _log.warning("anchoring at %s: %s: %s", self.name, problem.code, problem.message)
            self._failed(problem)
            return
        except Exception as error:  # a node that answers with what no node answers with
            _log.exception("anchoring at %s", self.name)
            self._failed(_nonsense(self.name, error))
            return
        self.standing, self.problem, self._retry_s = outcome.standing, None, RETRY_S
        if outcome.anchor is not None:
            self.last = (outcome.anchor, outcome.gas)
        often = max(OFTEN_S, min(SELDOM_S, poster.plan.deadline_s / 20))
        idle = outcome.standing is Standing.IDLE
        self._due_s = time.monotonic() + (min(SELDOM_S, 5 * often) if idle else often)

    def is_due(self) -> bool:
        return time.monotonic() >= self._due_s and (self._running is None or self._running.done())

    def tend_in(self, threads: ThreadPoolExecutor) -> None:
        self._running = threads.submit(self.tend)

    def _failed(self, problem: VeridictError) -> None:
        self.problem = problem
        self._due_s = time.monotonic() + self._retry_s
        self._retry_s = min(LONGEST_RETRY_S, 2 * self._retry_s)


@dataclass(frozen=True, slots=True)
class Tried:
    """What one place did when told to anchor: an anchor and its gas, or nothing, and why not."""

    name: str
    anchor: Anchor | None
    gas: int
    problem: VeridictError | None


class Fleet:
    """`home` comes first; names and chains are distinct."""

    def __init__(self, home: Berth, others: Sequence[Berth] = ()) -> None:
        self.home = home
        self.berths = (home, *others)
        self._threads = ThreadPoolExecutor(len(self.berths), "anchor")

    def tend(self) -> None:
        """Set every place that is due to work; returns at once."""
        for berth in self.berths:
            if berth.is_due():
                berth.tend_in(self._threads)

    def everywhere(self, timeout_s: float = 120.0) -> list[Tried]:
        """Anchor at all places at the same time, whatever the fee, and wait for them."""
        futures = [self._threads.submit(self._try, berth, timeout_s) for berth in self.berths]
        return [future.result() for future in futures]

    def posters(self) -> list[Poster]:
        """Of the places that could be opened so far."""
        return [berth.poster for berth in self.berths if berth.poster is not None]

    def elsewhere(self) -> list[Elsewhere]:
        """The other chains as an audit looks at them, reachable or not."""
        found = []
        for berth in self.berths[1:]:
            try:
                found.append(Elsewhere(berth.name, berth.ready().place))
            except VeridictError as problem:
                found.append(Elsewhere(berth.name, None, problem.message))
        return found

    def close(self) -> None:
        """What is in the middle of a step ends it first."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for berth in self.berths:
            berth.connections.close()

    @staticmethod
    def _try(berth: Berth, timeout_s: float) -> Tried:
        try:
            done = berth.now(timeout_s)
        except VeridictError as problem:
            return Tried(berth.name, None, 0, problem)
        return Tried(berth.name, done[0] if done else None, done[1] if done else 0, None)


def _nonsense(name: str, error: Exception) -> RpcUnavailable:
    return RpcUnavailable(
        f"the RPC of {name} answers with nonsense: {type(error).__name__}: {error}",
        remedy="use another node of this chain",
        place=name,
    )
