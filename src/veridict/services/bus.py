"""What happens in a node, told to whoever listens; a slow listener loses events, never the node."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LISTENER_EVENTS = 256


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` names what `data` is: prediction, status, step, case or finding."""

    kind: str
    data: object


class Bus:
    """Fan-out to bounded queues."""

    def __init__(self) -> None:
        self._listeners: list[queue.Queue[Event]] = []
        self._lock = threading.Lock()

    def publish(self, kind: str, data: object) -> None:
        event = Event(kind, data)
        with self._lock:
            for listener in self._listeners:
                if listener.full():
                    with suppress(queue.Empty):  # its reader may have been quicker
                        listener.get_nowait()  # the newest tell more than the oldest
                listener.put_nowait(event)

    @contextmanager
    def subscribe(self) -> Iterator[queue.Queue[Event]]:
        listener: queue.Queue[Event] = queue.Queue(LISTENER_EVENTS)
        with self._lock:
            self._listeners.append(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.remove(listener)
