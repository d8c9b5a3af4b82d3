"""The log: durable appends by many callers, replay, proofs, bytes on disk."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.log_peers import PLAIN, PYMERKLE, plain_per_s, pymerkle
from benchmarks.row import Row
from veridict.apps.running import running_node
from veridict.core.nouns import Payload, Request
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.ledger.view import LogView
from veridict.privacy.vault import FileVault
from veridict.proofs.note import Signer

CLIENTS = 1024
TURNS = 40
BATCH, BATCHES = 512, 400
BODY_BYTES = 400
PROOFS = 2000
RUNS = 3
HTTP_CLIENTS, HTTP_REQUESTS = 512, 40_000


def run() -> list[Row]:
    bodies = [os.urandom(BODY_BYTES) for _ in range(CLIENTS)]
    plain = max(plain_per_s(bodies, TURNS) for _ in range(RUNS))
    peer = pymerkle(bodies[:BATCH], BATCHES)
    name = PYMERKLE if peer else ""
    batched_peer, proof_peer = peer or (None, None)
    with _log() as log:
        entries = [Entry(body) for body in bodies]
        durable = max(asyncio.run(_clients_per_s(log, entries)) for _ in range(RUNS))
        whole = [Entry(os.urandom(128), _payload(i)) for i in range(BATCH)]
        attested = max(asyncio.run(_clients_per_s(log, whole)) for _ in range(RUNS))
    shutil.rmtree(log.path)
    with _log() as log:
        batched = _batches_per_s(log, entries[:BATCH])
        directory, size = log.path, log.size
    # Its writer is gone, and with it the threads that kept its lookups.
    with Log.open_readonly(directory) as reader:
        replayed = _replay_per_s(reader)
    runs = [_proofs(directory) for _ in range(RUNS)]
    cold, warm = (min(each) for each in zip(*runs, strict=True))
    stored = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) / size
    shutil.rmtree(directory)
    return [
        Row("log.durable_per_s", durable, "records/s", PLAIN, plain),
        Row("log.durable_attested_per_s", attested, "records/s", PLAIN, plain),
        Row("log.durable_batch_per_s", batched, "records/s", name, batched_peer),
        Row("log.replay_per_s", replayed, "records/s"),
        Row("log.inclusion_us", cold, "µs", name, proof_peer),
        Row("log.inclusion_warm_us", warm, "µs", name, proof_peer),
        Row("log.bytes_per_record", stored, "bytes", f"its {BODY_BYTES}-byte body", 400),
        *_over_http(),
    ]


def _over_http() -> list[Row]:
    """A whole node as `veridict up` serves it, and clients in a process of their own."""
    with tempfile.TemporaryDirectory() as home, _node(Path(home)) as (url, token):
        _post(url, token, HTTP_CLIENTS, HTTP_REQUESTS // 10, 1)
        single = _best([_post(url, token, HTTP_CLIENTS, HTTP_REQUESTS, 1) for _ in range(RUNS)])
        lines = _best([_post(url, token, 16, HTTP_REQUESTS // 100, 100) for _ in range(RUNS)])
    return [
        Row("log.http_per_s", single["per_s"], "records/s"),
        Row("log.http_median_ms", single["median_ms"], "ms"),
        Row("log.http_p99_ms", single["p99_ms"], "ms"),
        Row("log.http_batch_per_s", lines["per_s"], "records/s"),
    ]


def _best(runs: list[dict[str, float]]) -> dict[str, float]:
    return max(runs, key=lambda run: run["per_s"])


def _post(url: str, token: str, clients: int, requests: int, lines: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.posting", url, token]
    command += [str(number) for number in (clients, requests, lines)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


@contextmanager
def _node(home: Path) -> Iterator[tuple[str, str]]:
    """Address and token of a node in a process of its own."""
    token = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "veridict.apps.cli.main", "up", "--port", "0"]
    surroundings = {**os.environ, "VERIDICT_TOKEN": token}
    node = subprocess.Popen(
        [*command, "--home", str(home)], env=surroundings, stdout=subprocess.DEVNULL
    )
    try:
        while (running := running_node(home)) is None:
            if node.poll() is not None:
                raise RuntimeError(f"the node ended with status {node.returncode}")
            sleep(0.1)
        yield running.web, token
    finally:
        node.terminate()
        node.wait()


@contextmanager
def _log() -> Iterator[Log]:
    """A log in a directory that stays until it is measured."""
    directory = Path(tempfile.mkdtemp())
    signer, vault = Signer.generate("example.com/benchmark"), FileVault(directory / "vault")
    with Log.open(directory, signer=signer, vault=vault) as log:
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


def _replay_per_s(log: LogView) -> float:
    """Every body hashed and compared, every tile made again."""
    start = perf_counter()
    if findings := check_log(log):
        raise RuntimeError(findings[0].sentence())
    return log.size / (perf_counter() - start)


def _proofs(path: Path) -> tuple[float, float]:
    """By a reader that has read nothing yet, and by the same one again."""
    with Log.open_readonly(path) as reader:
        return _inclusion_us(reader), _inclusion_us(reader)


def _inclusion_us(log: LogView) -> float:
    """Mean of proofs for random records, tiles read from disk where they are not cached."""
    chance, size = random.Random(1), log.size
    places = [chance.randrange(size) for _ in range(PROOFS)]
    start = perf_counter()
    for index in places:
        log.inclusion_proof(index, size)
    return (perf_counter() - start) / PROOFS * 1e6
