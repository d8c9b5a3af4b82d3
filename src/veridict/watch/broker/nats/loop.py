"""An event loop in a thread of its own, for callers that wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from nats.errors import Error as NatsError

from veridict.core.errors import PeerUnavailable

T = TypeVar("T")
WITHIN_S = 10.0


class Loop:
    """`whose`: what does not answer when a call takes too long."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], within_s: float = WITHIN_S) -> T:
        """The result of `work`. Raises PeerUnavailable where it fails, or in time has none."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self._loop)
        try:
            return future.result()
        except (NatsError, OSError, TimeoutError) as problem:
            raise PeerUnavailable(
                f"{self._whose} does not answer: {type(problem).__name__} {problem}".strip(),
                remedy="see that it runs, with JetStream, and can be reached; nothing is lost",
            ) from problem

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs beside, until it ends or the loop is closed."""

        async def begin() -> None:
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self.run(begin())

    def close(self) -> None:
        async def end() -> None:
            """The client's tasks too: it leaves some where it could not connect."""
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
