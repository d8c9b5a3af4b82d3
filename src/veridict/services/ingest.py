"""Statements: what other systems said, each acknowledged when it is on disk.

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
from typing import Annotated, Any

import msgspec

from veridict.core.codec import MAX_DEPTH, SALT_BYTES, TAG_SAID, commit, nesting
from veridict.core.errors import BadInput, Busy, Refused, StorageFailed, VeridictError
from veridict.core.nouns import Payload, Request
from veridict.core.ports import Clock
from veridict.ledger.log import Entry, Log
from veridict.ledger.waiting import THREADS, Desk, LoopDesk, Waiter, promise
from veridict.services.records import StatementRecord, decode

MAX_BYTES = 65_536  # of one statement
MAX_WAITING = 16_384  # statements
MAX_WAITING_BYTES = 64 << 20
_MAX_BATCH = 2048
_NO_SALT = bytes(SALT_BYTES)  # there are no inputs to hide


class Statement(msgspec.Struct, frozen=True):
    """`content` as it was sent, byte for byte; `id` and `subject` are read from it."""

    id: str
    subject: str
    content: bytes


class Logged(msgspec.Struct, frozen=True):
    """Where a statement stands. Its record is `StatementRecord(said, time_ms)`, with

    said = SHA-256("D" ‖ salt ‖ content). `again`: it stood there before it was sent now.
    """

    id: str
    index: int
    time_ms: int
    salt: str
    again: bool = False


class _Names(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    subject: Annotated[str, msgspec.Meta(max_length=256)] = ""


_names = msgspec.json.Decoder(_Names)


def read_statement(content: bytes) -> Statement:
    """A JSON object with `id`, `subject` and whatever else. Raises BadInput."""
    if len(content) > MAX_BYTES:
        raise BadInput(
            f"a statement of {len(content)} bytes is too large",
            remedy=f"send up to {MAX_BYTES} bytes, and a hash of what is longer",
        )
    try:
        if content.count(b"[") + content.count(b"{") > MAX_DEPTH and nesting(content) > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")  # see `codec.parse_json`
        names = _names.decode(content)
        names.id.encode(), names.subject.encode()
    except (msgspec.DecodeError, ValueError) as problem:
        raise BadInput(
            f"not a statement: {problem}",
            remedy='send a JSON object such as {"id": "p-1", "subject": "account-7", "score": 3}',
        ) from problem
    return Statement(names.id, names.subject, content)


@dataclass(slots=True)
class _Asked:
    statement: Statement
    future: Any
    desk: Desk[Any]


class Ingest:
    """Logs the statements of many callers, one batch at a time. Thread-safe; close when done."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._queue: deque[_Asked] = deque()
        self._waiting = self._waiting_bytes = 0  # in the queue or in the running batch
        self._guard = Lock()
        self._changed = Condition(self._guard)
        self._closing = False
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
            if len(self._queue) == 1:
                self._changed.notify()

    def _run(self) -> None:
        while batch := self._take():
            outcomes: Sequence[object]
            try:
                outcomes = self._answers([asked.statement for asked in batch])
            except VeridictError as problem:
                outcomes = [_copy(problem) for _ in batch]
            except Exception as problem:  # nobody may wait for ever
                outcomes = [problem for _ in batch]
            done_bytes = sum([len(asked.statement.content) for asked in batch])
            with self._guard:
                self._waiting -= len(batch)
                self._waiting_bytes -= done_bytes
            post: dict[Desk[Any], list[tuple[Any, object]]] = {}
            for asked, outcome in zip(batch, outcomes, strict=True):
                post.setdefault(asked.desk, []).append((asked.future, outcome))
            for desk, letters in post.items():
                desk.deliver(letters)

    def _take(self) -> list[_Asked]:
        """What waits, up to a batch; nothing when closing."""
        with self._guard:
            while not self._queue and not self._closing:
                self._changed.wait()
            batch = list(islice(self._queue, _MAX_BATCH))
            if len(batch) == len(self._queue):
                self._queue = deque()  # emptied at once: callers wait for this lock
            else:
                for _ in batch:
                    self._queue.popleft()
            return batch

    def _answers(self, statements: Sequence[Statement]) -> list[Logged | Refused]:
        """One outcome a statement: where it stands, or why it is refused."""
        first: dict[str, int] = {}
        for at, statement in enumerate(statements):
            first.setdefault(statement.id, at)
        places = dict(zip(first, self._log.find_requests(list(first)), strict=True))
        fresh = [statements[first[name]] for name, index in places.items() if index is None]
        logged = {receipt.id: receipt for receipt in self._append(fresh)}
        outcomes: list[Logged | Refused] = []
        for at, statement in enumerate(statements):
            index, one = places[statement.id], first[statement.id]
            if index is not None:
                outcomes.append(self._stored(statement, index))
            elif at == one:
                outcomes.append(logged[statement.id])
            elif statement.content == statements[one].content:
                outcomes.append(msgspec.structs.replace(logged[statement.id], again=True))
            else:
                outcomes.append(_taken(statement, logged[statement.id].index))
        return outcomes

    def _append(self, statements: Sequence[Statement]) -> list[Logged]:
        if not statements:
            return []
        now = self._clock()
        pool = os.urandom(SALT_BYTES * len(statements))
        salts = [pool[at : at + SALT_BYTES] for at in range(0, len(pool), SALT_BYTES)]
        at = self._log.append(
            [
                Entry(
                    StatementRecord.body_of(commit(TAG_SAID, salt, said.content), now),
                    Payload(
                        Request(said.id, said.subject, now // 1000, said.content),
                        salt, b"", _NO_SALT,
                    ),
                )
                for said, salt in zip(statements, salts, strict=True)
            ]
        ).first_index  # fmt: skip
        return [
            Logged(said.id, index, now, salt.hex())
            for index, (said, salt) in enumerate(zip(statements, salts, strict=True), at)
        ]

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
