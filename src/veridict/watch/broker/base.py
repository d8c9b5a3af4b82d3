"""What workers ask of a broker, and what lies in it.

    events    messages of payments, in partitions by payer; kept until a state covers them
    claims    who decides which events of a partition: one chain a partition, in which a link is
              taken only by whoever knows the last one. It fences off who was away meanwhile
    states    what a partition's features and detectors knew behind some event
    leases    who has a partition now; one that is not renewed ends by itself

A claim comes before its records: it says all that they will say, so that whoever died in between
can log them afterwards, and nobody else does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import msgspec


def partition_of(payer: str, partitions: int) -> int:
    """The first four bytes of SHA-256 of the payer's name, big-endian, modulo `partitions`."""
    return int.from_bytes(sha256(payer.encode()).digest()[:4], "big") % partitions


@dataclass(frozen=True, slots=True)
class Message:
    """Payments for one partition, a JSON object a line (`watch.feeds.wire`).

    The broker takes one `id` once within its window, of two minutes by default.
    """

    partition: int
    id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message with its place in the stream, and when the broker took it."""

    sequence: int
    time_s: int
    data: bytes
    token: str  # by which it is acknowledged


class SavedState(msgspec.Struct, frozen=True, array_like=True):
    """Where a partition's state lies, and behind which event it stands."""

    name: str
    through: int


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A request as a claim holds it (`core.nouns.Request`)."""

    id: str
    subject: str
    time_s: int
    content: bytes


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a detector said of the claim's row `row`."""

    row: int
    detector: str
    decision: int
    reason: str
    strength: float


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """`worker` decides the events up to `through` that its `asked` names; `epoch` rises.

    `features`: float64 little-endian, a row a request, in the order of `names`.
    """

    worker: str
    epoch: int
    through: int
    state: SavedState | None = None
    asked: tuple[Asked, ...] = ()
    names: tuple[str, ...] = ()
    features: bytes = b""
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Tail:
    """The last claim of a partition and its place in the chain; 0 and None before the first."""

    place: int
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Survey:
    """Who is at work, and which partitions have an owner, as far as is heard."""

    workers: tuple[str, ...]
    taken: frozenset[int]


class Broker(Protocol):
    """One worker's connection. Every call may raise PeerUnavailable."""

    @property
    def partitions(self) -> int: ...

    def send(self, messages: Sequence[Message]) -> int:
        """Durable on return; how many were new. Raises Busy where the stream is full."""

    # -- who has what ------------------------------------------------------------------------

    def join(self, worker: str) -> None:
        """Be counted as `worker` from now on, until `leave` or silence."""

    def leave(self) -> None: ...

    def alive(self) -> None:
        """Say at least every minute that work goes on; else leases are not renewed."""

    def survey(self) -> Survey: ...

    def take(self, partition: int) -> int | None:
        """A lease that is renewed beside; its epoch, or None where another has the partition."""

    def has(self, partition: int) -> bool:
        """Whether the lease holds still, as far as is heard."""

    def release(self, partition: int) -> None: ...

    # -- claims and states -------------------------------------------------------------------

    def tail(self, partition: int) -> Tail: ...

    def claim(self, partition: int, claim: Claim, behind: int) -> int | None:
        """Its place in the chain behind the link at `behind`; None where that is not the last."""

    def claims_of(self, worker: str, behind: int) -> Iterator[tuple[int, Claim]]:
        """(place, claim) of those of `worker` behind that place, of any partition."""

    def put_state(self, name: str, data: bytes) -> None: ...

    def state(self, name: str) -> bytes | None: ...

    def drop_state(self, name: str) -> None: ...

    # -- events ------------------------------------------------------------------------------

    def open(self, partition: int, behind: int) -> None:
        """Deliver the partition's messages behind that place, in their order."""

    def ready(self, partition: int, most_bytes: int) -> list[Delivered]:
        """Of those that have come, up to `most_bytes` or one; never waits."""

    def wait(self, seconds: float) -> None:
        """Until something is ready, or the time is over."""

    def acknowledge(self, delivered: Sequence[Delivered]) -> None: ...

    def forget(self, partition: int, through: int) -> None:
        """Delete the partition's messages up to that place: a state covers them."""

    def close(self) -> None: ...
