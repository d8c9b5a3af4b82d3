"""Payments into the stream that workers share: to the partition of their payer, many a message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256

import msgspec

from veridict.watch.broker.base import Broker, Message, partition_of
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.wire import PaymentJson

LINES, BYTES = 256, 48 * 1024  # of one message
TOGETHER = 64  # messages on their way at once


def line_of(event: Event) -> bytes:
    """As `watch.feeds.wire` reads it."""
    paid = event.transfer
    return msgspec.json.encode(
        PaymentJson(
            event.id, event.time_s, paid.payer, paid.payee, paid.asset,
            amount_minor=paid.amount, channel=paid.channel, place=paid.place,
        )
    )  # fmt: skip


def messages_of(events: Iterable[Event], partitions: int, lines: int = LINES) -> Iterator[Message]:
    """In an order that keeps each payer's. The same events give the same message ids."""
    waiting: dict[int, list[bytes]] = defaultdict(list)
    sizes: dict[int, int] = defaultdict(int)
    for event in events:
        number, line = partition_of(event.transfer.payer, partitions), line_of(event)
        if waiting[number] and sizes[number] + len(line) > BYTES:
            yield _message(number, waiting.pop(number))
            sizes[number] = 0
        waiting[number].append(line)
        sizes[number] += len(line)
        if len(waiting[number]) >= lines:
            yield _message(number, waiting.pop(number))
            sizes[number] = 0
    for number in sorted(waiting):
        yield _message(number, waiting[number])


def send(broker: Broker, events: Iterable[Event], lines: int = LINES) -> int:
    """How many messages were new to the broker; durable there on return. Raises Busy when full."""
    new, some = 0, list[Message]()
    for message in messages_of(events, broker.partitions, lines):
        some.append(message)
        if len(some) == TOGETHER:
            new += broker.send(some)
            some = []
    return new + (broker.send(some) if some else 0)


def _message(partition: int, lines: list[bytes]) -> Message:
    data = b"\n".join(lines)
    return Message(partition, sha256(data).hexdigest(), data)
