"""One stream, many workers on a real NATS server: nothing is lost and nothing decided twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.nats import Nats, running_nats
from tests.support.workers import (
    decided,
    desk,
    expected_features,
    made_home,
    payments,
    worker,
)
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.apps.workers import NAME_FILE
from veridict.core.errors import Busy, PeerUnavailable
from veridict.models.image import image, pack
from veridict.services.feeding.records import FeedRecord
from veridict.services.records import decode
from veridict.services.workers.claiming import finish
from veridict.services.workers.partition import Partition
from veridict.services.workers.sending import line_of, messages_of, send
from veridict.watch.broker.base import Broker, Delivered, Message, partition_of
from veridict.watch.broker.nats import NatsBroker

PARTITIONS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Nats]:
    with running_nats() as server:
        yield server


@pytest.fixture
def broker(server: Nats, request: pytest.FixtureRequest) -> Iterator[NatsBroker]:
    """A stream of the test's own."""
    name = request.node.name.replace("_", "")[:40]
    broker = NatsBroker(server.url, name, partitions=PARTITIONS, lease_s=1.5, max_bytes=1 << 26)
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("homes")
    return [made_home(place / name) for name in ("a", "b", "c")]


def until(true: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def name(home: Path) -> str:
    """Of the home's worker, once it has begun."""
    file = home / NAME_FILE
    return file.read_text().strip() if file.exists() else "nobody"


def owners(broker: Broker) -> set[str]:
    """Who added the last link of some chain."""
    tails = [broker.tail(number).claim for number in range(broker.partitions)]
    return {claim.worker for claim in tails if claim is not None}


def has_claimed(broker: Broker) -> Callable[[int], bool]:
    """Whether the last claim of a partition decides anything."""

    def has(number: int) -> bool:
        claim = broker.tail(number).claim
        return claim is not None and bool(claim.asked)

    return has


def all_decided(broker: Broker, last: dict[int, int]) -> bool:
    """Whether the chains have claims up to the last message of each partition."""
    return all(
        (claim := broker.tail(number).claim) is not None and claim.through >= place
        for number, place in last.items()
    )


def pulled(broker: Broker, number: int, count: int) -> list[Delivered]:
    found: list[Delivered] = []

    def come() -> bool:
        broker.wait(0.1)
        found.extend(broker.ready(number, 1 << 20))
        return len(found) >= count

    until(come)
    return found


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_one_worker_killed_and_one_added(server: Nats, homes: list[Path]) -> None:
    """Real processes and kill -9, under load. The killed one is started again at the end."""
    events = payments(6_000)
    broker = NatsBroker(
        server.url, "veridict", partitions=PARTITIONS, lease_s=1.5, max_bytes=1 << 26
    )
    with worker(homes[0], server.url) as first, worker(homes[1], server.url):
        until(lambda: len(broker.survey().taken) == PARTITIONS)
        send(broker, events[:2_500], lines=20)
        until(lambda: any(map(has_claimed(broker), range(PARTITIONS))))
        first.kill()
        send(broker, events[2_500:4_500], lines=20)
        until(lambda: name(homes[0]) not in broker.survey().workers)
        with worker(homes[2], server.url) as added:
            until(lambda: name(homes[2]) in owners(broker))
            send(broker, events[4_500:], lines=20)
            send(broker, events[5_900:], lines=7)  # once more: the broker sees other messages
            last = {n: _last(broker, n) for n in range(PARTITIONS)}
            with worker(homes[0], server.url) as again:
                until(lambda: all_decided(broker, last))
                until(lambda: name(homes[0]) in broker.survey().workers)
                again.stop()
            assert added.stop()["decided"] > 0
    broker.close()
    found, inputs = decided(homes)
    assert found == {event.id: 1 for event in events}
    wanted = expected_features(events, PARTITIONS)
    assert all(inputs[id] == pack(image(row[None])) for id, row in wanted.items())


def _last(broker: NatsBroker, number: int) -> int:
    """The place of the partition's last message."""
    raw = broker._loop.run(
        broker._js.get_last_msg(f"{broker.name}-events", f"{broker.name}.events.{number}")
    )
    return int(raw.seq or 0)


def test_what_was_claimed_before_a_kill_is_logged_once(
    broker: NatsBroker, homes: list[Path]
) -> None:
    """Between claim and log: the claim has everything; its maker logs it, the others never."""
    events = [
        e
        for e in payments(1_200, prefix="claimed")
        if partition_of(e.transfer.payer, PARTITIONS) == 1
    ]
    send(broker, events[:50])
    broker.join("maker")
    with open_node(Settings(homes[0])) as node:
        before = node.log.size
        one = Partition(desk(node, broker, "maker"), 1, broker.take(1) or 0)
        assert one.take()
        (message,) = pulled(broker, 1, 1)
        met = one._known.meet([message], "broker:1")
        claim = one._claim(message.sequence, met.fresh, *one._known.look(met.fresh))
        assert broker.claim(1, claim, one.place) is not None
        broker.release(1)  # and here it dies
        with open_node(Settings(homes[1])) as other:
            size = other.log.size
            two = Partition(desk(other, broker, "other"), 1, broker.take(1) or 0)
            assert two.take()
            done = two.decide(pulled(broker, 1, 1))
            assert done is not None
            assert (done.made, other.log.size) == ([], size)  # looked at, and left to its maker
            send(broker, events[50:])
            done = two.decide(pulled(broker, 1, 1))
            assert done is not None
            assert [made.payload.request.id for made in done.made] == [e.id for e in events[50:]]
            wanted = expected_features(events, PARTITIONS)
            for made in done.made:  # the first fifty count in the features
                row = wanted[made.payload.request.id]
                assert made.payload.inputs == pack(image(row[None]))
        assert finish(node, broker, "maker") == 50
        assert finish(node, broker, "maker") == 0
        ids = [node.log.payload(n).request.id for n in range(before, node.log.size)]  # type: ignore[union-attr]
        assert ids == [e.id for e in events[:50]]


def test_who_was_away_is_fenced_off(broker: NatsBroker, homes: list[Path]) -> None:
    """A worker that slept through the end of its lease decides nothing more."""
    events = [
        e for e in payments(300, prefix="fenced") if partition_of(e.transfer.payer, PARTITIONS) == 2
    ]
    send(broker, events)
    broker.join("sleeper")
    with open_node(Settings(homes[0])) as node:
        sleeper = Partition(desk(node, broker, "sleeper"), 2, broker.take(2) or 0)
        assert sleeper.take()
        messages = pulled(broker, 2, 1)
        broker.release(2)
        assert Partition(desk(node, broker, "next"), 2, broker.take(2) or 0).take()
        size = node.log.size
        assert sleeper.decide(messages) is None
        assert node.log.size == size


def test_a_saved_state_goes_on_with_the_same_bits(broker: NatsBroker, homes: list[Path]) -> None:
    events = [
        e for e in payments(900, prefix="saved") if partition_of(e.transfer.payer, PARTITIONS) == 3
    ]
    wanted = expected_features(events, PARTITIONS)
    half = len(events) // 2
    broker.join("saver")
    with open_node(Settings(homes[1])) as node:
        made = []
        for part in (events[:half], events[half:]):
            send(broker, part)
            holder = Partition(desk(node, broker, "saver"), 3, broker.take(3) or 0)
            assert holder.take()
            for message in pulled(broker, 3, 1):
                done = holder.decide([message])
                assert done is not None
                made += done.made
            assert holder.save()
            broker.release(3)
        assert [one.payload.request.id for one in made] == [e.id for e in events]
        for one in made:
            assert one.payload.inputs == pack(image(wanted[one.payload.request.id][None]))
        state = broker.tail(3).claim.state  # type: ignore[union-attr]
        assert state is not None
        broker.open(3, 0)
        broker.wait(1)
        assert broker.ready(3, 1) == []  # what the state covers is deleted from the stream


def test_what_is_no_payment_is_told_and_the_rest_decided(
    broker: NatsBroker, homes: list[Path]
) -> None:
    events = [
        e for e in payments(400, prefix="mixed") if partition_of(e.transfer.payer, PARTITIONS) == 0
    ]
    stranger = next(e for e in payments(99) if partition_of(e.transfer.payer, PARTITIONS) == 1)
    lines = [line_of(event) for event in events[:20]]
    other = line_of(events[0]).replace(b'"amount_minor":"', b'"amount_minor":"9')
    bad = [b"{ no payment", line_of(stranger), other, lines[3]]
    broker.send([Message(0, "mixed", b"\n".join([*lines, *bad]))])
    broker.join("one")
    with open_node(Settings(homes[2])) as node:
        size = node.log.size
        holder = Partition(desk(node, broker, "one"), 0, broker.take(0) or 0)
        assert holder.take()
        done = holder.decide(pulled(broker, 0, 1))
        assert done is not None
        assert (len(done.made), done.again, done.refused) == (20, 1, 3)
        note = decode(node.log.body(size))
        assert isinstance(note, FeedRecord)
        assert note.counts == {"message.bad": 1, "partition.other": 1, "contradiction": 1}


def test_a_full_stream_pushes_back(server: Nats) -> None:
    broker = NatsBroker(server.url, "full", partitions=1, max_bytes=100_000)
    send(broker, payments(200))
    with pytest.raises(Busy):
        send(broker, payments(5_000))
    broker.close()


def test_a_broker_that_is_not_there_is_told() -> None:
    with pytest.raises(PeerUnavailable):
        NatsBroker("nats://127.0.0.1:9", "none")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_that_is_killed_and_started_again(homes: list[Path]) -> None:
    """Work goes on behind what was decided; nothing is decided twice."""
    with running_nats() as server, worker(homes[0], server.url) as child:
        broker = NatsBroker(
            server.url, "veridict", partitions=PARTITIONS, lease_s=1.5, max_bytes=1 << 26
        )
        events = payments(1_500, prefix="server")
        send(broker, events[:700], lines=10)
        until(lambda: any(map(has_claimed(broker), range(PARTITIONS))))
        server.kill()
        server.start()
        until(lambda: _sent(broker, events[700:]))
        last = {n: _last(broker, n) for n in range(PARTITIONS)}
        until(lambda: all_decided(broker, last))
        child.stop()
        broker.close()
    found, _ = decided(homes[:1])
    assert all(found[event.id] == 1 for event in events)


def _sent(broker: NatsBroker, events: list) -> bool:  # type: ignore[type-arg]
    try:
        send(broker, events, lines=10)
    except PeerUnavailable:
        return False
    return True


def test_messages_keep_the_order_of_each_payer() -> None:
    events = payments(300)
    seen: dict[str, list[str]] = {}
    for message in messages_of(events, 5, lines=7):
        for line in message.data.split(b"\n"):
            event = next(e for e in events if line_of(e) == line)
            assert partition_of(event.transfer.payer, 5) == message.partition
            seen.setdefault(event.transfer.payer, []).append(event.id)
    for payer, ids in seen.items():
        assert ids == [e.id for e in events if e.transfer.payer == payer]
