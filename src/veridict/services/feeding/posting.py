"""A node that is asked about payments decides them, in a thread of its own, many at once.

The watcher is made when the first payment comes, and again when another model is put to work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread

from veridict.core.errors import VeridictError
from veridict.services.feeding.follow import BATCH
from veridict.services.feeding.watcher import Watcher
from veridict.services.node import Node
from veridict.watch.feeds.base import Item, Outcome
from veridict.watch.feeds.posted import PostedFeed

WAIT_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Posting:
    """A context manager: decides what is offered to `feed` until it is left."""

    node: Node
    make: Callable[[], Watcher]  # for the model at work
    feed: PostedFeed = field(default_factory=PostedFeed)
    _watcher: Watcher | None = field(init=False, default=None)
    _model: bytes = field(init=False, default=b"")
    _thread: Thread = field(init=False)

    def __enter__(self) -> Posting:
        self._thread = Thread(target=self._run, name="payments", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.feed.close()
        self._thread.join()
        if self._watcher is not None:
            self._watcher.close()

    def decide(self, feed: str, items: Sequence[Item], *, live: bool = True) -> list[Outcome]:
        """Also for who follows other feeds beside. Raises as `Watcher.decide`."""
        with self.node.lock:
            return self._ready().decide(feed, items, live=live)

    def _run(self) -> None:
        while not self.feed.ended:
            items = self.feed.pull(BATCH, WAIT_S)
            if not items:
                continue
            try:
                outcomes = self.decide(self.feed.name, items)
            except VeridictError as problem:
                self.feed.failed(problem)
            except Exception as problem:  # nobody may wait for ever
                _log.exception("payments could not be decided")
                self.feed.failed(problem)
            else:
                self.feed.told(outcomes)

    def _ready(self) -> Watcher:
        """Raises NotFound where no model is at work, BadInput for one that is not of payments."""
        model_id = self.node.at_work().model.id
        if self._watcher is None or model_id != self._model:
            if self._watcher is not None:
                self._watcher.close()
            self._watcher, self._model = self.make(), model_id
        return self._watcher
