"""Who is at work and has which partition: keys that expire unless they are renewed."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from nats.errors import Error as NatsError
from nats.js.errors import APIError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from veridict.watch.broker.base import Survey

STALLED_S = 60.0  # a worker that has not said so long that it is alive loses its leases
_WORKER, _LEASE = "worker.", "lease."


class Leases:
    """Of one worker. Coroutines run in the broker's loop; the rest in any thread."""

    def __init__(self, kv: KeyValue, lease_s: float) -> None:
        self._kv, self._lease_s = kv, lease_s
        self._worker = ""
        self._revisions: dict[int, int] = {}  # of the leases held, by partition
        self._heard = time.monotonic()

    def alive(self) -> None:
        self._heard = time.monotonic()

    def has(self, partition: int) -> bool:
        return partition in self._revisions

    def held(self) -> list[int]:
        return list(self._revisions)

    async def join(self, worker: str) -> None:
        self._worker = worker
        self.alive()
        await self._tell()

    async def leave(self) -> None:
        worker, self._worker = self._worker, ""
        if worker:
            await self._kv.delete(_WORKER + worker)

    async def survey(self) -> Survey:
        try:
            keys = await self._kv.keys()
        except NoKeysError:
            keys = []
        workers = sorted(key.removeprefix(_WORKER) for key in keys if key.startswith(_WORKER))
        taken = frozenset(int(key.removeprefix(_LEASE)) for key in keys if key.startswith(_LEASE))
        return Survey(tuple(workers), taken)

    async def take(self, partition: int) -> int | None:
        try:
            revision = await self._kv.create(f"{_LEASE}{partition}", self._worker.encode())
        except KeyWrongLastSequenceError:
            return None
        self._revisions[partition] = revision
        return int(revision)

    async def release(self, partition: int) -> None:
        revision = self._revisions.pop(partition, None)
        if revision is not None:
            with suppress(APIError):  # it has ended, and another may have it
                await self._kv.delete(f"{_LEASE}{partition}", last=revision)

    async def renew(self) -> None:
        """Beside the work, so that a long batch loses nothing; ends with `leave`."""
        while self._worker:
            await asyncio.sleep(self._lease_s / 4)
            if self._worker and time.monotonic() - self._heard < STALLED_S:
                with suppress(NatsError, TimeoutError, OSError):  # the next time, or it ends
                    await self._tell()

    async def _tell(self) -> None:
        await self._kv.put(_WORKER + self._worker, b"")
        for partition, revision in list(self._revisions.items()):
            key = f"{_LEASE}{partition}"
            try:
                now = await self._kv.update(key, self._worker.encode(), last=revision)
            except KeyWrongLastSequenceError:
                self._revisions.pop(partition, None)
            else:
                if self._revisions.get(partition) == revision:
                    self._revisions[partition] = now
