"""A worker: its share of the partitions, one after the other, until it is stopped.

Shares are even among those who are heard; whoever has more lets go, whoever has less takes what
is free. A partition whose owner is silent is free when the lease ends, after some seconds.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from veridict.core.errors import PeerUnavailable
from veridict.services.garbage import only_new_garbage
from veridict.services.workers.claiming import finish, finished
from veridict.services.workers.partition import Desk, Done, Partition

ROUND_BYTES = 64 * 1024  # of messages, some 500 payments: a claim stays far below 1 MB
LOOK_EVERY_S = 1.0
_PAUSE_S = 0.05
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a worker did so far."""

    decided: Counter[str] = field(default_factory=Counter)
    finished: int = 0  # decisions that were claimed before a kill and logged at the start
    again: int = 0
    refused: int = 0
    partitions: tuple[int, ...] = ()
    trouble: str = ""

    @property
    def payments(self) -> int:
        return self.decided.total()

    def count(self, done: Done) -> None:
        self.decided.update(made.record.decision.word for made in done.made)
        self.again += done.again
        self.refused += done.refused


Watching = Callable[[Tally], None]


class Worker:
    """Runs in one thread. Raises what concerns its node; the broker's troubles are waited out."""

    def __init__(
        self, desk: Desk, *, anchor_every: int = 10_000, told: Watching = lambda tally: None
    ) -> None:
        self._desk, self._anchor_every, self._told = desk, anchor_every, told
        self._held: dict[int, Partition] = {}
        self._looked = 0.0
        self._place = 0  # of the last claim whose decisions are in the log
        self._sure = False  # that all of its claims are
        self.tally = Tally()

    @only_new_garbage()
    def run(self, stop: Callable[[], bool]) -> Tally:
        """Until `stop()`; then the partitions are handed on with their state."""
        broker = self._desk.broker
        broker.join(self._desk.worker)
        try:
            while not stop():
                try:
                    self._round()
                except PeerUnavailable as problem:
                    self._lost_sight(problem)
            self._hand_on()
        finally:
            broker.leave()
        return self.tally

    def _round(self) -> None:
        broker = self._desk.broker
        broker.alive()
        if not self._sure:
            self.tally.finished += finish(self._desk.node, broker, self._desk.worker)
            self._sure, self.tally.trouble = True, ""
        if time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            self._take_share()
        worked = [self._work(partition) for partition in list(self._held.values())]
        if self._anchor_every and self._desk.node.unanchored() >= self._anchor_every:
            self._desk.node.anchor()
        if not any(worked):
            broker.wait(_PAUSE_S)

    def _work(self, partition: Partition) -> bool:
        """Whether there was anything to do."""
        broker = self._desk.broker
        if not broker.has(partition.number):
            self._drop(partition)
            return False
        messages = broker.ready(partition.number, ROUND_BYTES)
        if not messages:
            return False
        done = partition.decide(messages)
        if done is None:
            self._drop(partition)
            return True
        self._place = max(self._place, partition.place)
        self.tally.count(done)
        if partition.is_due:
            self._save(partition)
        self._told(self.tally)
        return True

    # -- partitions --------------------------------------------------------------------------

    def _take_share(self) -> None:
        broker, me = self._desk.broker, self._desk.worker
        survey = broker.survey()
        workers = sorted({*survey.workers, me})
        share, more = divmod(broker.partitions, len(workers))
        share += workers.index(me) < more
        for number in sorted(self._held)[share:]:
            self._let_go(self._held[number])
        for number in range(broker.partitions):
            if len(self._held) >= share:
                break
            if number not in survey.taken and number not in self._held:
                self._take(number)
        self.tally.partitions = tuple(sorted(self._held))

    def _take(self, number: int) -> None:
        epoch = self._desk.broker.take(number)
        if epoch is None:
            return
        partition = Partition(self._desk, number, epoch)
        if partition.take():
            self._held[number] = partition
        else:
            self._desk.broker.release(number)

    def _save(self, partition: Partition) -> None:
        if partition.save():
            self._place = max(self._place, partition.place)
            finished(self._desk.node, self._desk.worker, self._place)
        else:
            self._drop(partition)

    def _let_go(self, partition: Partition) -> None:
        self._save(partition)
        self._drop(partition)

    def _drop(self, partition: Partition) -> None:
        self._held.pop(partition.number, None)
        self._desk.broker.release(partition.number)

    def _hand_on(self) -> None:
        try:
            for partition in list(self._held.values()):
                self._let_go(partition)
        except PeerUnavailable as problem:  # whoever takes them reads a little more
            self._lost_sight(problem)

    def _lost_sight(self, problem: PeerUnavailable) -> None:
        """What was claimed and what not is found out when the broker answers again."""
        _log.warning("%s", problem.message)
        self.tally.trouble, self._sure = problem.message, False
        for number in list(self._held):
            self._held.pop(number)
            try:
                self._desk.broker.release(number)
            except PeerUnavailable:
                continue  # the lease ends by itself
        time.sleep(LOOK_EVERY_S)
