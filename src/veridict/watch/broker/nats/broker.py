"""NATS JetStream as the broker: version 2.9 of the server and later.

    NAME-events    stream, subjects NAME.events.P     file; a full one refuses what is sent
    NAME-claims    stream, subjects NAME.claims.P     file; a week
    NAME-leases    key-value bucket, file             a lease that is not renewed expires
    NAME-states    object store, file

A chain is kept by `Nats-Expected-Last-Subject-Sequence`. The number of partitions is fixed when
the streams are made. The client's loop runs in a thread of its own; all calls here may wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec
import nats
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import (
    APIError,
    NotFoundError,
    ObjectNotFoundError,
)

from veridict.core.errors import BadInput, Busy
from veridict.watch.broker.base import Claim, Delivered, Message, Survey, Tail
from veridict.watch.broker.nats.leases import Leases
from veridict.watch.broker.nats.loop import Loop
from veridict.watch.broker.nats.reader import Reader

WINDOW_S = 120.0  # within which one message id is taken once
KEPT_S = 7 * 86_400.0  # claims: so long a worker may be away and log them still
MAX_BYTES = 1 << 30  # of events; the server sets them aside
IN_FLIGHT = 64  # messages sent and not yet acknowledged
_WRONG_LAST = (10071, 10164)
_FULL = (10077, 10078)  # the stream's limits, the server's storage
_claims = msgspec.msgpack.Decoder(Claim)


class NatsBroker:
    """A `Broker`. `url` is nats://host:4222, several separated by commas, or tls://."""

    def __init__(
        self,
        url: str,
        name: str = "veridict",
        *,
        partitions: int = 8,
        lease_s: float = 5.0,
        max_bytes: int = MAX_BYTES,
        replicas: int = 1,
    ) -> None:
        """Makes the streams where they are not. Raises PeerUnavailable, BadInput."""
        if not name.replace("_", "").isalnum() or not name.isascii():
            raise BadInput(f"{name!r} is no name of a stream", remedy="use letters and digits")
        self.name, self._lease_s = name, lease_s
        self._readers: dict[int, Reader] = {}
        self._loop = Loop(f"the broker at {url}")
        try:
            self._loop.run(self._connect(url), within_s=5)
            self.partitions = self._loop.run(self._prepare(partitions, max_bytes, replicas))
        except BaseException:
            self._loop.close()
            raise

    async def _connect(self, url: str) -> None:
        async def quiet(_: Exception) -> None:
            """What concerns a call is raised there."""

        self._nc = await nats.connect(
            url.split(","), error_cb=quiet, connect_timeout=2, reconnect_time_wait=0.2,
            max_reconnect_attempts=2, name=f"veridict {self.name}",
        )  # fmt: skip
        # one that is not there is told at once; one that goes away later is waited for
        self._nc.options["max_reconnect_attempts"] = -1
        self._js = self._nc.jetstream(timeout=10)
        self._changed = asyncio.Event()

    async def _prepare(self, partitions: int, max_bytes: int, replicas: int) -> int:
        events = api.StreamConfig(
            name=f"{self.name}-events", subjects=[f"{self.name}.events.*"],
            description=f"{partitions} partitions", max_bytes=max_bytes,
            discard=api.DiscardPolicy.NEW, duplicate_window=WINDOW_S, num_replicas=replicas,
        )  # fmt: skip
        claims = api.StreamConfig(
            name=f"{self.name}-claims", subjects=[f"{self.name}.claims.*"], max_age=KEPT_S,
            duplicate_window=WINDOW_S, num_replicas=replicas,
        )  # fmt: skip
        for wanted in (events, claims):
            try:
                await self._js.stream_info(str(wanted.name))
            except NotFoundError:
                await self._js.add_stream(wanted)
        leases = await self._js.create_key_value(
            bucket=f"{self.name}-leases", ttl=self._lease_s, storage=api.StorageType.FILE,
            replicas=replicas,
        )  # fmt: skip
        self._leases = Leases(leases, self._lease_s)
        self._states = await self._js.create_object_store(f"{self.name}-states", replicas=replicas)
        found = await self._js.stream_info(f"{self.name}-events")
        return int((found.config.description or "0").split()[0])

    # -- sending -----------------------------------------------------------------------------

    def send(self, messages: Sequence[Message]) -> int:
        return self._loop.run(self._send(messages))

    async def _send(self, messages: Sequence[Message]) -> int:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(message: Message) -> bool:
            async with slots:
                told = await self._js.publish(
                    f"{self.name}.events.{message.partition}", message.data,
                    headers={"Nats-Msg-Id": message.id},
                )  # fmt: skip
                return not told.duplicate

        try:
            return sum(await asyncio.gather(*map(one, messages)))
        except APIError as problem:
            if problem.err_code in _FULL:
                raise Busy(
                    "the stream of events is full", remedy="send again when workers have caught up"
                ) from problem
            raise

    # -- who has what ------------------------------------------------------------------------

    def join(self, worker: str) -> None:
        self._loop.run(self._leases.join(worker))
        self._loop.start(self._leases.renew())

    def leave(self) -> None:
        for partition in self._leases.held():
            self.release(partition)
        self._loop.run(self._leases.leave())

    def alive(self) -> None:
        self._leases.alive()

    def survey(self) -> Survey:
        return self._loop.run(self._leases.survey())

    def take(self, partition: int) -> int | None:
        return self._loop.run(self._leases.take(partition))

    def has(self, partition: int) -> bool:
        return self._leases.has(partition)

    def release(self, partition: int) -> None:
        self._close_reader(partition)
        self._loop.run(self._leases.release(partition))

    # -- claims and states -------------------------------------------------------------------

    def tail(self, partition: int) -> Tail:
        return self._loop.run(self._tail(partition))

    async def _tail(self, partition: int) -> Tail:
        try:
            found = await self._js.get_last_msg(
                f"{self.name}-claims", f"{self.name}.claims.{partition}"
            )
        except NotFoundError:
            return Tail(0, None)
        return Tail(int(found.seq or 0), _claims.decode(found.data or b""))

    def claim(self, partition: int, claim: Claim, behind: int) -> int | None:
        return self._loop.run(self._claim(partition, claim, behind))

    async def _claim(self, partition: int, claim: Claim, behind: int) -> int | None:
        """A lost answer is looked up: the chain tells whether the link is in it."""
        data = msgspec.msgpack.encode(claim)
        subject = f"{self.name}.claims.{partition}"
        headers = {"Nats-Expected-Last-Subject-Sequence": str(behind)}
        for last in (False, True):
            try:
                return int((await self._js.publish(subject, data, headers=headers)).seq)
            except APIError as problem:
                if problem.err_code not in _WRONG_LAST:
                    raise
            except (NatsError, TimeoutError):
                if last:
                    raise
                continue
            tail = await self._tail(partition)
            return tail.place if last and tail.claim == claim else None
        return None

    def claims_of(self, worker: str, behind: int) -> Iterator[tuple[int, Claim]]:
        reader = Reader(self._js, f"{self.name}-claims", f"{self.name}.claims.*", behind)
        self._loop.run(reader.open())
        try:
            while batch := self._loop.run(reader.rest()):
                for message in batch:
                    claim = _claims.decode(message.data)
                    if claim.worker == worker:
                        yield message.sequence, claim
        finally:
            self._loop.run(reader.close())

    def put_state(self, name: str, data: bytes) -> None:
        self._loop.run(self._states.put(name, data), within_s=120)

    def state(self, name: str) -> bytes | None:
        async def get() -> bytes | None:
            try:
                return (await self._states.get(name)).data
            except ObjectNotFoundError:
                return None

        return self._loop.run(get(), within_s=120)

    def drop_state(self, name: str) -> None:
        async def drop() -> None:
            with suppress(ObjectNotFoundError):
                await self._states.delete(name)

        self._loop.run(drop())

    # -- events ------------------------------------------------------------------------------

    def open(self, partition: int, behind: int) -> None:
        self._close_reader(partition)
        subject = f"{self.name}.events.{partition}"
        reader = Reader(self._js, f"{self.name}-events", subject, behind, self._changed)
        self._loop.run(reader.open())
        self._loop.start(reader.follow())
        self._readers[partition] = reader

    def ready(self, partition: int, most_bytes: int) -> list[Delivered]:
        reader = self._readers.get(partition)
        return [] if reader is None else reader.taken(most_bytes)

    def wait(self, seconds: float) -> None:
        async def until_changed() -> None:
            self._changed.clear()
            if not any(reader.waiting for reader in self._readers.values()):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), seconds)

        self._loop.run(until_changed())

    def acknowledge(self, delivered: Sequence[Delivered]) -> None:
        async def all_of_them() -> None:
            for one in delivered:
                await self._nc.publish(one.token, b"+ACK")

        self._loop.run(all_of_them())

    def forget(self, partition: int, through: int) -> None:
        subject = f"{self.name}.events.{partition}"
        self._loop.run(
            self._js.purge_stream(f"{self.name}-events", subject=subject, seq=through + 1)
        )

    def close(self) -> None:
        """Leases are let go where the broker still answers."""
        with suppress(Exception):
            self.leave()
        for partition in list(self._readers):
            with suppress(Exception):
                self._close_reader(partition)
        with suppress(Exception):
            self._loop.run(self._nc.close())
        self._loop.close()

    def _close_reader(self, partition: int) -> None:
        reader = self._readers.pop(partition, None)
        if reader is not None:
            self._loop.run(reader.close())
