"""One partition held: its events become decisions in their order, each once.

take      the chain's last claim says where the state lies and how far events are decided;
          what came after the state is looked at again, what was not decided is decided
decide    look → claim → decide and log → acknowledge. Where the claim is refused, another has
          the partition, and nothing was decided
save      the state into the broker, a claim that says where, and the events before are deleted
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import Request
from veridict.services.feeding.dropping import dropped_note
from veridict.services.feeding.memory import Means
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.workers.claiming import claim_of, columns_of, log_claim
from veridict.services.workers.known import Known, Met
from veridict.watch.broker.base import Broker, Claim, Delivered, SavedState
from veridict.watch.detectors.base import Verdict, View
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.rows import requests_of

SAVE_EVERY = 50_000  # events; that many are looked at again after a kill, at the most


@dataclass(frozen=True, slots=True)
class Desk:
    """What every partition of one worker needs."""

    node: Node
    broker: Broker
    worker: str
    assets: Assets
    make: Callable[[], Means]


@dataclass(slots=True)
class Done:
    """What became of some messages."""

    made: list[Prediction] = field(default_factory=list)
    again: int = 0
    refused: int = 0


class Partition:
    """Not thread-safe."""

    def __init__(self, desk: Desk, number: int, epoch: int) -> None:
        self.number, self.epoch = number, epoch
        self._desk = desk
        self._known = Known(number, desk.broker.partitions, desk.assets, desk.make)
        self._state: SavedState | None = None
        self._place = self._decided = self._through = 0
        self._unsaved = 0

    @property
    def place(self) -> int:
        """Of its last claim in the chain."""
        return self._place

    def take(self) -> bool:
        """Go on where the last owner ended; False where another was quicker."""
        broker = self._desk.broker
        tail = broker.tail(self.number)
        if tail.claim is not None:
            self._decided, self._state = tail.claim.through, tail.claim.state
        if self._state is not None:
            self._known.restore(self._saved(self._state))
            self._through = self._state.through
        if not self._link(
            Claim(self._desk.worker, self.epoch, self._decided, self._state), tail.place
        ):
            return False
        broker.open(self.number, self._through)
        return True

    def decide(self, messages: Sequence[Delivered]) -> Done | None:
        """None where another has the partition now: it decides them."""
        old = [message for message in messages if message.sequence <= self._decided]
        self._look_again(old)
        done = self._decide(messages[len(old) :]) if len(old) < len(messages) else Done()
        if done is not None:
            self._desk.broker.acknowledge(messages)
            self._through = messages[-1].sequence
        return done

    @property
    def is_due(self) -> bool:
        return self._unsaved >= SAVE_EVERY

    def save(self) -> bool:
        """False where another has the partition now."""
        if not self._unsaved or self._through < self._decided:  # nothing new, or not there yet
            return True
        broker, before = self._desk.broker, self._state
        state = SavedState(f"{self.number}.{self.epoch}.{self._through}", self._through)
        broker.put_state(state.name, self._known.save())
        if not self._link(Claim(self._desk.worker, self.epoch, self._decided, state), self._place):
            broker.drop_state(state.name)
            return False
        self._state, self._unsaved = state, 0
        if before is not None:
            broker.drop_state(before.name)
        broker.forget(self.number, state.through)
        return True

    # -- events ------------------------------------------------------------------------------

    def _look_again(self, messages: Sequence[Delivered]) -> None:
        met = self._known.meet(messages, self._source)
        if met.fresh:
            self._known.look(met.fresh)
            self._unsaved += len(met.fresh)

    def _decide(self, messages: Sequence[Delivered]) -> Done | None:
        through = messages[-1].sequence
        met = self._known.meet(messages, self._source)
        self._note(met)
        claim = Claim(self._desk.worker, self.epoch, through, self._state)
        if met.fresh:
            claim = self._claim(through, met.fresh, *self._known.look(met.fresh))
        if not self._link(claim, self._place):
            return None
        self._decided = through
        self._unsaved += len(met.fresh)
        made = log_claim(self._desk.node, claim) if claim.asked else []
        return Done(made, met.again + len(met.fresh) - len(made), len(met.outcomes))

    def _claim(
        self, through: int, events: Sequence[Event], view: View, verdicts: Sequence[Verdict]
    ) -> Claim:
        node = self._desk.node
        names = node.feature_names(node.at_work().model.id)
        x = np.ascontiguousarray(view.x[:, columns_of(names, view)])
        requests: list[Request] = requests_of(events)
        desk = self._desk
        return claim_of(desk.worker, self.epoch, through, self._state, requests, names, x, verdicts)

    def _note(self, met: Met) -> None:
        """Before the claim: what is refused is told once at least."""
        node = self._desk.node
        note = dropped_note(self._source, met.items, met.outcomes, node.parts.clock())
        if note is not None:
            node.append(*note)

    # -- the chain ---------------------------------------------------------------------------

    def _link(self, claim: Claim, behind: int) -> bool:
        place = self._desk.broker.claim(self.number, claim, behind)
        if place is None:
            return False
        self._place = place
        return True

    def _saved(self, state: SavedState) -> bytes:
        data = self._desk.broker.state(state.name)
        if data is None:
            raise BadInput(
                f"the state {state.name} is not in the broker",
                remedy="put back the broker's storage: events before it are deleted",
                state=state.name,
            )
        return data

    @property
    def _source(self) -> str:
        return f"broker:{self.number}"
