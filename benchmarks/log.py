"""The log: durable appends by many callers, replay, proofs, bytes on disk."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.row import Row
from veridict.core.nouns import Payload, Request
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.privacy.vault import FileVault
from veridict.proofs.note import Signer

CLIENTS = 1024
TURNS = 40
BATCH, BATCHES = 512, 400
BODY_BYTES = 400
PROOFS = 2000
RUNS = 3
PLAIN = "plain SQLite inserts, 1,024 a transaction"


def run() -> list[Row]:
    bodies = [os.urandom(BODY_BYTES) for _ in range(CLIENTS)]
    plain = max(_plain_per_s(bodies) for _ in range(RUNS))
    with _log() as log:
        entries = [Entry(body) for body in bodies]
        durable = max(asyncio.run(_clients_per_s(log, entries)) for _ in range(RUNS))
        whole = [Entry(os.urandom(128), _payload(i)) for i in range(BATCH)]
        attested = max(asyncio.run(_clients_per_s(log, whole)) for _ in range(RUNS))
    with _log() as log:
        batched = _batches_per_s(log, entries[:BATCH])
        rows = [
            Row("log.durable_per_s", durable, "records/s", PLAIN, plain),
            Row("log.durable_attested_per_s", attested, "records/s", PLAIN, plain),
            Row("log.durable_batch_per_s", batched, "records/s", PLAIN, plain),
            Row("log.replay_per_s", _replay_per_s(log), "records/s"),
            Row("log.inclusion_us", _inclusion_us(log), "µs"),
        ]
        directory, size = log.path, log.size
        log.close()
        stored = sum(file.stat().st_size for file in directory.iterdir()) / size
    return [*rows, Row("log.bytes_per_record", stored, "bytes", f"its {BODY_BYTES}-byte body", 400)]


@contextmanager
def _log() -> Iterator[Log]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Log.open(
            Path(directory),
            signer=Signer.generate("example.com/benchmark"),
            vault=FileVault(Path(directory) / "vault"),
        ) as log,
    ):
        yield log


def _payload(number: int) -> Payload:
    request = Request(f"payment-{number}", "account", 1_500_000_000, os.urandom(200))
    return Payload(request, os.urandom(32), os.urandom(8 * 30), os.urandom(32))


async def _clients_per_s(log: Log, entries: list[Entry]) -> float:
    """Every client waits until its record is on disk before it sends the next."""

    async def client(number: int) -> None:
        for _ in range(TURNS):
            await log.append_async([entries[number % len(entries)]])

    start = perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return CLIENTS * TURNS / (perf_counter() - start)


def _batches_per_s(log: Log, entries: list[Entry]) -> float:
    """One caller that does not wait for a batch before it submits the next."""
    start = perf_counter()
    for future in [log.submit(entries) for _ in range(BATCHES)]:
        future.result()
    return BATCHES * len(entries) / (perf_counter() - start)


def _replay_per_s(log: Log) -> float:
    """Every body hashed and compared, every tile made again."""
    start = perf_counter()
    if findings := check_log(log):
        raise RuntimeError(findings[0].sentence())
    return log.size / (perf_counter() - start)


def _inclusion_us(log: Log) -> float:
    """Mean of proofs for random records, tiles read from disk where they are not cached."""
    chance = random.Random(1)
    places = [chance.randrange(log.size) for _ in range(PROOFS)]
    start = perf_counter()
    for index in places:
        log.inclusion_proof(index)
    return (perf_counter() - start) / PROOFS * 1e6


def _plain_per_s(bodies: list[bytes]) -> float:
    """The limit: the same rows without tree, queue or acknowledgements."""
    with tempfile.TemporaryDirectory() as directory:
        db = sqlite3.connect(Path(directory) / "plain.sqlite", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE record (idx INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        start = perf_counter()
        for _ in range(TURNS):
            db.execute("BEGIN")
            db.executemany("INSERT INTO record (body) VALUES (?)", ((body,) for body in bodies))
            db.execute("COMMIT")
        seconds = perf_counter() - start
        db.close()
    return len(bodies) * TURNS / seconds
