"""Statements are logged as they come, each acknowledged when it is on disk.

    caller → queue → [ known? → commit → log ] → acknowledge

One id is one statement: sent again it gets the same receipt, sent with other bytes it is
refused. Where several nodes write one log, an id belongs to one of them: two that are sent
the same new id at the same moment may both log it.

What is logged is a commitment to the bytes that were sent; the bytes are its payload, sealed
for their subject and erased with it.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Lock, Thread
from typing import Any

import msgspec

from veridict.core.codec import SALT_BYTES, TAG_SAID, commit
from veridict.core.errors import Busy, Refused, StorageFailed, VeridictError
from veridict.core.nouns import Payload, Request
from veridict.core.ports import Clock
from veridict.ledger.log import Entry, Log
from veridict.ledger.waiting import THREADS, Appended, Desk, LoopDesk, Waiter, promise
from veridict.services.records import StatementRecord, decode
from veridict.services.statements import Logged, Statement

MAX_WAITING = 16_384  # statements
MAX_WAITING_BYTES = 64 << 20
_MAX_BATCH = 2048
_WORTH_IT = 64  # statements at least, for a batch to be begun before the last is on disk
_NO_SALT = bytes(SALT_BYTES)  # there are no inputs to hide


@dataclass(slots=True)
class _Asked:
    statement: Statement
    future: Any
    desk: Desk[Any]


@dataclass(slots=True)
class _Flight:
    """A batch on its way to the disk: new ids, and who waits for what becomes of them."""

    firsts: dict[str, _Asked]  # by id; each is a record
    salts: list[bytes]  # of `firsts`, in their order
    time_ms: int
    appended: Future[Appended]
    later: list[_Asked]  # the same ids, sent again


class Ingest:
    """Logs the statements of many callers, one batch at a time. Thread-safe; close when done."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._queue: deque[_Asked] = deque()
        self._waiting = self._waiting_bytes = 0  # in the queue or in the running batch
        self._guard = Lock()
        self._changed = Condition(self._guard)
        self._closing = False
        self._worth_it = 1  # how many must wait for the thread to begin
        self._desk: LoopDesk | None = None
        self._thread = Thread(target=self._run, name="ingest", daemon=True)
        self._thread.start()

    def submit(self, statement: Statement) -> Future[Logged]:
        """Done when it is on disk. Raises Busy, or Refused where the id has other bytes."""
        future: Future[Logged] = promise()
        self._enter(_Asked(statement, future, THREADS))
        return future

    def submit_here(self, statement: Statement) -> asyncio.Future[Logged]:
        """As `submit`, from a coroutine."""
        loop = asyncio.get_running_loop()
        desk = self._desk
        if desk is None or desk.loop is not loop:
            desk = self._desk = LoopDesk(loop)
        future: asyncio.Future[Logged] = loop.create_future()
        self.submit_to(statement, future, desk)
        return future

    def submit_to(self, statement: Statement, waiter: Waiter, desk: LoopDesk) -> None:
        """As `submit`, from the event loop of `desk`, where `waiter` is told."""
        self._enter(_Asked(statement, waiter, desk))

    def close(self) -> None:
        """Answers what waits, then ends."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> Ingest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enter(self, asked: _Asked) -> None:
        with self._guard:
            if self._closing:
                raise StorageFailed("the node is closing", remedy="send it again to the next one")
            if self._waiting >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES:
                raise Busy(
                    f"{self._waiting} statements wait for the disk",
                    remedy="send the same statement again in a second",
                )
            self._waiting += 1
            self._waiting_bytes += len(asked.statement.content)
            self._queue.append(asked)
            if len(self._queue) in (1, self._worth_it):
                self._changed.notify()

    # -- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        """While one batch is on its way to the disk, the next one is made ready."""
        flight: _Flight | None = None
        while True:
            batch = self._take(flight)
            if not batch and flight is None:
                return
            following = self._begin(batch, flight)
            if flight is not None:
                self._land(flight)
            flight = following

    def _take(self, flight: _Flight | None) -> list[_Asked]:
        """What waits, up to a batch; nothing where `flight` came down first, or when closing."""
        with self._guard:
            # as many as are on their way: small batches take nearly as long as large ones
            self._worth_it = max(_WORTH_IT, len(flight.firsts)) if flight else 1
            while not (self._closing or self._is_time(flight)):
                self._changed.wait()
            batch = list(islice(self._queue, _MAX_BATCH))
            if len(batch) == len(self._queue):
                self._queue = deque()  # emptied at once: callers wait for this lock
            else:
                for _ in batch:
                    self._queue.popleft()
            return batch

    def _is_time(self, flight: _Flight | None) -> bool:
        landed = flight is not None and flight.appended.done()
        return landed or len(self._queue) >= self._worth_it

    def _wake(self, _: object) -> None:
        with self._guard:
            self._changed.notify()

    def _begin(self, batch: Sequence[_Asked], before: _Flight | None) -> _Flight | None:
        """Answers what stands in the log and sends on what is new; None if nothing is."""
        ours: list[_Asked] = []
        for asked in batch:
            if before is not None and asked.statement.id in before.firsts:
                before.later.append(asked)
            else:
                ours.append(asked)
        try:
            return self._send(ours) if ours else None
        except VeridictError as problem:
            self._tell([(asked, _copy(problem)) for asked in ours])
        except Exception as problem:  # nobody may wait for ever
            self._tell([(asked, problem) for asked in ours])
        return None

    def _send(self, batch: Sequence[_Asked]) -> _Flight | None:
        firsts: dict[str, _Asked] = {}
        for asked in batch:
            firsts.setdefault(asked.statement.id, asked)
        places = dict(zip(firsts, self._log.find_requests(list(firsts)), strict=True))
        known: list[tuple[_Asked, object]] = []
        later: list[_Asked] = []
        for asked in batch:
            name = asked.statement.id
            index = places[name]
            if index is not None:
                known.append((asked, self._stored(asked.statement, index)))
                firsts.pop(name, None)
            elif firsts[name] is not asked:
                later.append(asked)
        flight = self._append(firsts, later) if firsts else None
        self._tell(known)
        return flight

    def _append(self, firsts: dict[str, _Asked], later: list[_Asked]) -> _Flight:
        now = self._clock()
        pool = os.urandom(SALT_BYTES * len(firsts))
        salts = [pool[at : at + SALT_BYTES] for at in range(0, len(pool), SALT_BYTES)]
        entries: list[Entry] = []
        for asked, salt in zip(firsts.values(), salts, strict=True):
            said = asked.statement
            request = Request(said.id, said.subject, now // 1000, said.content)
            body = StatementRecord.body_of(commit(TAG_SAID, salt, said.content), now)
            entries.append(Entry(body, Payload(request, salt, b"", _NO_SALT)))
        appended = self._log.submit(entries)
        appended.add_done_callback(self._wake)
        return _Flight(firsts, salts, now, appended, later)

    def _land(self, flight: _Flight) -> None:
        """Waits until it is on disk, or not, and tells everyone in it."""
        everyone = [*flight.firsts.values(), *flight.later]
        try:
            at = flight.appended.result().first_index
        except VeridictError as problem:
            self._tell([(asked, _copy(problem)) for asked in everyone])
            return
        except Exception as problem:
            self._tell([(asked, problem) for asked in everyone])
            return
        letters: list[tuple[_Asked, object]] = []
        logged: dict[str, Logged] = {}
        for index, (asked, salt) in enumerate(
            zip(flight.firsts.values(), flight.salts, strict=True), at
        ):
            name = asked.statement.id
            receipt = logged[name] = Logged(name, index, flight.time_ms, salt.hex())
            letters.append((asked, receipt))
        for asked in flight.later:
            receipt, first = logged[asked.statement.id], flight.firsts[asked.statement.id]
            if asked.statement.content == first.statement.content:
                letters.append((asked, msgspec.structs.replace(receipt, again=True)))
            else:
                letters.append((asked, _taken(asked.statement, receipt.index)))
        self._tell(letters)

    def _tell(self, letters: Sequence[tuple[_Asked, object]]) -> None:
        done_bytes = sum([len(asked.statement.content) for asked, _ in letters])
        with self._guard:
            self._waiting -= len(letters)
            self._waiting_bytes -= done_bytes
        post: dict[Desk[Any], list[tuple[Any, object]]] = {}
        for asked, outcome in letters:
            post.setdefault(asked.desk, []).append((asked.future, outcome))
        for desk, mail in post.items():
            desk.deliver(mail)

    def _stored(self, statement: Statement, index: int) -> Logged | Refused:
        """The receipt again, if these very bytes stand at `index`."""
        record, payload = decode(self._log.body(index)), self._log.payload(index)
        if (
            isinstance(record, StatementRecord)
            and payload is not None
            and payload.request.content == statement.content
        ):
            return Logged(statement.id, index, record.time_ms, payload.request_salt.hex(), True)
        return _taken(statement, index)


def _taken(statement: Statement, index: int) -> Refused:
    return Refused(
        f"the id {statement.id!r} was used before, with other bytes",
        remedy="give every statement an id of its own; send one again byte for byte",
        reason="id taken",
        index=index,
    )


def _copy(problem: VeridictError) -> VeridictError:
    """Each caller raises its own instance."""
    mine = type(problem)(problem.message, remedy=problem.remedy, **problem.facts)
    mine.__cause__ = problem
    return mine
