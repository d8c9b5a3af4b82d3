"""Group commit: one thread writes what many callers submit, one fsync for all that wait.

    caller → submit → queue → [ seal → BEGIN → hash → records, payloads, tiles → COMMIT ]
           → acknowledge

A batch is all or nothing. The tree's edge moves on only after COMMIT; when a
batch fails, all its callers get the error and the edge is read again from disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from threading import Condition, Lock, Thread
from time import monotonic, sleep
from typing import Any

from veridict.core.errors import StorageFailed
from veridict.core.ports import Personal, Sealed, Vault
from veridict.ledger.store import Reads, Store, newest_first, stored_edge
from veridict.ledger.tiles import TreeEdge
from veridict.ledger.waiting import Appended, Desk, Job
from veridict.proofs.merkle import leaf_hashes

_MAX_BATCH = 8192  # records a transaction: bounds latency and memory
_MAX_QUEUED = 65536  # records waiting; `submit` blocks above it
_GATHER_S, _GATHER_STEP_S = 0.003, 0.0002


# Bodies as submitted, and those in the log, newest first → the bodies to write. What depends on
# the records before, such as a number, is only known under the lock of a log that several write.
Finish = Callable[[list[bytes], Iterator[bytes]], list[bytes]]


class Writer:
    """Owns the tree's edge and the thread that moves it."""

    def __init__(
        self, store: Store, finish: Finish | None = None, vault: Vault | None = None
    ) -> None:
        """Raises StorageFailed where the edge on disk is damaged."""
        self._store = store
        self._vault = vault
        self._finish = finish
        self.edge = stored_edge(self._store)
        self._guard = Lock()
        self._changed = Condition(self._guard)
        self._queue: deque[Job[Any]] = deque()
        self._queued = 0  # records in the queue or in the running batch
        self._idle = self._closing = False
        self._thread = Thread(target=self._run, name="veridict-log", daemon=True)
        self._thread.start()

    @property
    def accepted(self) -> int:
        """Durable records and those on their way."""
        return self.edge.size + self._queued

    def submit(self, job: Job[Any], *, block: bool = True) -> None:
        """Queues `job`; waits while the queue is full, unless told not to block."""
        with self._guard:
            while block and self._queued > _MAX_QUEUED and not self._closing:
                self._changed.wait()
            if self._closing:
                raise StorageFailed("the log is closed", remedy="open it again")
            self._queue.append(job)
            self._queued += len(job.bodies)
            if self._idle:
                self._idle = False
                self._changed.notify_all()

    def close(self) -> None:
        """Commits what is queued, then ends."""
        with self._guard:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        callers = 0
        while True:
            with self._guard:
                while not self._queue and not self._closing:
                    self._idle = True
                    self._changed.wait()
                if not self._queue:
                    return
            self._gather(callers)
            jobs = self._take()
            callers = len(jobs)
            self._commit(jobs)

    def _gather(self, callers: int) -> None:
        """Lets the callers of the last batch come back, as long as more of them arrive."""
        deadline, seen = monotonic() + _GATHER_S, 0
        while seen < len(self._queue) < callers and monotonic() < deadline:
            seen = len(self._queue)
            sleep(_GATHER_STEP_S)

    def _take(self) -> list[Job[Any]]:
        with self._guard:
            jobs = [self._queue.popleft()]
            count = len(jobs[0].bodies)
            while self._queue and count + len(self._queue[0].bodies) <= _MAX_BATCH:
                jobs.append(self._queue.popleft())
                count += len(jobs[-1].bodies)
            return jobs

    def _commit(self, jobs: list[Job[Any]]) -> None:
        failure: StorageFailed | None = None
        try:
            first, edge, finished = self._write(jobs)
        except Exception as error:
            failure = error if isinstance(error, StorageFailed) else self._store.failed(error)
            self._reload()
        with self._guard:
            if failure is None:
                self.edge = edge
            self._queued -= sum(len(job.bodies) for job in jobs)
            self._changed.notify_all()
        post: dict[Desk[Any], list[tuple[Any, object]]] = {}
        for job in jobs:
            letters = post.setdefault(job.desk, [])
            if failure is not None:
                letters.append((job.future, _copy(failure)))
                continue
            count = len(job.bodies)
            written = tuple(islice(finished, count)) if self._finish else None
            letters.append((job.future, Appended(first, count, written)))
            first += count
        for desk, letters in post.items():
            desk.deliver(letters)

    def _write(self, jobs: list[Job[Any]]) -> tuple[int, TreeEdge, Iterator[bytes]]:
        """Index of the first record, the tree's edge behind the last one, and their bodies."""
        bodies = [body for job in jobs for body in job.bodies]
        sealed = self._seal([payload for job in jobs for payload in job.payloads])
        with self._store.transaction() as tx:
            before = self._current(tx)
            if self._finish is not None:
                bodies = self._finish(bodies, newest_first(tx, before.size))
            edge, tiles = before.extended(leaf_hashes(bodies))
            records: list[Any] = []
            payloads: list[Any] = []
            changed: list[Any] = []
            for index, body in enumerate(bodies, before.size):
                records += (index, body)
            for offset, box in sealed:
                payloads += (before.size + offset, box.slot, box.tag, box.box)
            for tile in tiles:
                changed += (tile.level, tile.n, tile.hashes, tile.middle)
            tx.insert("record", ("idx", "body"), records)
            tx.insert("payload", ("idx", "slot", "tag", "payload"), payloads)
            tx.put("tile", ("level", "n"), ("hashes", "middle"), changed)
        return before.size, edge, iter(bodies)

    def _seal(self, payloads: list[Personal | None]) -> list[tuple[int, Sealed]]:
        """In the writer's thread: whoever retires a key and waits knows what is sealed under it."""
        given = [(at, payload) for at, payload in enumerate(payloads) if payload is not None]
        if self._vault is None or not given:
            return []
        sealed = self._vault.seal([payload for _, payload in given])
        return [(at, box) for (at, _), box in zip(given, sealed, strict=True)]

    def _current(self, tx: Reads) -> TreeEdge:
        """The edge as it stands: in a shared store others may have moved it."""
        return stored_edge(tx) if self._store.shared else self.edge

    def _reload(self) -> None:
        """What is on disk is the truth, whatever the failed batch came to."""
        try:
            self.edge = stored_edge(self._store)
        except StorageFailed:
            return  # the disk is still away: the old edge is the last one known to be durable


def _copy(error: StorageFailed) -> StorageFailed:
    """Each caller raises its own instance: tracebacks are not shared between threads."""
    mine = StorageFailed(error.message, remedy=error.remedy, **error.facts)
    mine.__cause__ = error
    return mine
