"""Reading one subject of a JetStream stream from a place on: in order, explicitly acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError
from nats.js import api
from nats.js.client import JetStreamContext

from veridict.watch.broker.base import Delivered

AHEAD, AHEAD_BYTES = 1024, 1 << 20  # fetched before they are asked for
FETCH = 64
FORGOTTEN_S = 30.0  # the server drops the consumer of a reader that is gone
ACK_S = 60.0


class Reader:
    """Lives in the broker's loop; `taken` may be called from another thread."""

    def __init__(
        self,
        js: JetStreamContext,
        stream: str,
        subject: str,
        behind: int,
        changed: asyncio.Event | None = None,
    ) -> None:
        self._js, self._stream, self._subject = js, stream, subject
        self._at = behind  # the last message that was put in order
        self._delivery = 0  # the consumer counts what it delivers, also what it delivers again
        self._changed = changed
        self._came: deque[Delivered] = deque()
        self._put_in = self._taken_out = 0  # bytes; each is one thread's to write
        self._room = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sub: Any = None
        self._closed = False

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._delivery = 0
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._at + 1,
            ack_policy=api.AckPolicy.EXPLICIT, ack_wait=ACK_S, max_ack_pending=8 * AHEAD,
            inactive_threshold=FORGOTTEN_S,
        )  # fmt: skip
        self._sub = await self._js.pull_subscribe(self._subject, stream=self._stream, config=config)

    async def follow(self) -> None:
        """Fetches ahead until closed. A connection that is lost is waited for."""
        while not self._closed:
            if len(self._came) >= AHEAD or self._inside >= AHEAD_BYTES:
                self._room.clear()
                await self._room.wait()
                continue
            try:
                messages = await self._sub.fetch(FETCH, timeout=1.0)
            except TimeoutError:
                continue
            except NatsError:
                await self._again()
                continue
            if not self._put(messages):
                await self._again()
            if self._changed is not None and messages:
                self._changed.set()

    async def rest(self) -> list[Delivered]:
        """What is there still; none at the end. Acknowledged at once."""
        info = await self._sub.consumer_info()
        if not info.num_pending:
            return []
        messages = await self._sub.fetch(FETCH, timeout=5.0)
        for message in messages:
            await message.ack()
        if not self._put(messages):
            await self._again()
        return self.taken(self._inside) or await self.rest()

    def taken(self, most_bytes: int) -> list[Delivered]:
        """Of what came, up to `most_bytes`, or one message that has more."""
        found: list[Delivered] = []
        size = 0
        while self._came and (not found or size + len(self._came[0].data) <= most_bytes):
            found.append(self._came.popleft())
            size += len(found[-1].data)
        self._taken_out += size
        if found and self._loop is not None:
            self._loop.call_soon_threadsafe(self._room.set)
        return found

    @property
    def _inside(self) -> int:
        return self._put_in - self._taken_out

    @property
    def waiting(self) -> bool:
        return bool(self._came)

    async def close(self) -> None:
        self._closed = True
        self._room.set()
        if self._sub is not None:
            with suppress(NatsError, TimeoutError, OSError):
                await self._sub.unsubscribe()

    def _put(self, messages: list[Any]) -> bool:
        """False where a delivery is missing, as after a connection was lost: then read again.

        A message that comes once more, because its acknowledgement was slow, is left out.
        """
        for message in messages:
            known = message.metadata
            if known.sequence.consumer != self._delivery + 1:
                return False
            self._delivery += 1
            if known.sequence.stream > self._at:
                self._at = known.sequence.stream
                seconds = int(known.timestamp.timestamp())
                self._came.append(Delivered(self._at, seconds, message.data, message.reply))
                self._put_in += len(message.data)
        return True

    async def _again(self) -> None:
        """From the same place: the consumer may be gone, with a server that was started anew."""
        with suppress(NatsError, TimeoutError, OSError):
            await self._sub.unsubscribe()
        await asyncio.sleep(0.2)
        with suppress(NatsError, TimeoutError, OSError):
            await self.open()
