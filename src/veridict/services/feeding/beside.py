"""Feeds followed by a node that serves: a thread each, for as long as the node is up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from veridict.core.errors import VeridictError
from veridict.services.feeding.follow import Decider, follow
from veridict.services.node import Node
from veridict.watch.feeds.base import Feed

AGAIN_S = 5.0  # after a failure that may pass: no model yet, a disk that is full
_log = logging.getLogger(__name__)


@contextmanager
def following(node: Node, decider: Decider, feeds: Sequence[Feed]) -> Iterator[None]:
    """What fails is logged and tried again: nothing is lost, the feed goes on behind its cursor."""
    stopping = threading.Event()
    threads = [
        threading.Thread(
            target=_follow, args=(node, decider, feed, stopping), name=feed.name, daemon=True
        )
        for feed in feeds
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread, feed in zip(threads, feeds, strict=True):
            thread.join()
            feed.close()


def _follow(node: Node, decider: Decider, feed: Feed, stopping: threading.Event) -> None:
    while not stopping.is_set() and not feed.ended:
        try:
            follow(node, decider, feed, stop=stopping.is_set, anchor_every=0)
        except VeridictError as problem:
            _log.warning("%s: %s: %s", feed.name, problem.code, problem.message)
            stopping.wait(AGAIN_S)
