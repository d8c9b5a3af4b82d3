"""Sealing, finding, erasing: what keeping data forgettable costs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.row import Row
from veridict.core.clock import wall_clock_ms
from veridict.core.nouns import Payload, PredictionRecord, Request
from veridict.core.ports import Personal
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
from veridict.privacy.vault import FileVault
from veridict.proofs.note import Signer
from veridict.services.erasing import Eraser
from veridict.services.records import encode

BATCH, BATCHES = 512, 40
SUBJECTS = 10_000
RECORDS = 100_000
PAYLOAD_BYTES = 560  # thirty features, a request of 200 bytes, two salts
ERASED = 20
ASKED = 2_000
RUNS = 3


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        return [*_vault(Path(directory) / "vault"), *_log(Path(directory) / "log")]


def _vault(directory: Path) -> list[Row]:
    vault = FileVault(directory)
    data = os.urandom(PAYLOAD_BYTES)
    names = [f"account {number}" for number in range(SUBJECTS)]
    fresh = [Personal(name, f"payment of {name}", data) for name in names]
    batches = [
        [fresh[(BATCH * batch + row) * 7 % SUBJECTS] for row in range(BATCH)]
        for batch in range(BATCHES)
    ]
    started = perf_counter()
    for at in range(0, SUBJECTS, BATCH):
        vault.seal(fresh[at : at + BATCH])
    new = SUBJECTS / (perf_counter() - started)
    sealed = [vault.seal(batch) for batch in batches]
    count = BATCH * BATCHES
    rows = [
        Row("vault.new_subjects_per_s", new, "subjects/s"),
        Row(
            "vault.seal_per_s", _best(count, lambda: [vault.seal(b) for b in batches]), "records/s"
        ),
        Row("vault.open_per_s", _best(count, lambda: [vault.open(s) for s in sealed]), "records/s"),
    ]
    vault.close()
    return rows


def _log(directory: Path) -> list[Row]:
    vault = FileVault(directory / "vault")
    signer = Signer.generate("example.com/benchmark")
    with Log.open(directory, signer=signer, vault=vault) as log:
        for start in range(0, RECORDS, 4096):
            log.append([_entry(number) for number in range(start, min(RECORDS, start + 4096))])
        started = perf_counter()
        log.find_request("nobody")
        indexed = RECORDS / (perf_counter() - started)
        names = [f"payment {number * 37 % RECORDS}" for number in range(ASKED)]
        at_once = _best(ASKED, lambda: log.find_requests(names))
        one = _best(ASKED, lambda: [log.find(Query(request=name), most=1) for name in names])
        started = perf_counter()
        eraser = Eraser(
            log, vault, wall_clock_ms,
            lambda record, payload: log.append([Entry(encode(record), payload)]).first_index, (),
        )  # fmt: skip
        for number in range(ERASED):
            eraser.erase(f"account {number}", "request", "benchmark")
        seconds = perf_counter() - started
    return [
        Row("log.index_per_s", indexed, "records/s"),
        Row("log.find_us", 1e6 / one, "µs"),
        Row("log.find_many_us", 1e6 / at_once, "µs"),
        Row("log.erase_ms", 1000 * seconds / ERASED, "ms"),
    ]


def _entry(number: int) -> Entry:
    request = Request(
        f"payment {number}", f"account {number % SUBJECTS}", number, b'{"amount":"12.30"}' * 11
    )
    record = PredictionRecord.decode(b"\x01" + bytes(7) + number.to_bytes(8, "big") + bytes(112))
    return Entry(record.encode(), Payload(request, bytes(32), bytes(8 * 30), bytes(32)))


def _best(count: int, act: Callable[[], object]) -> float:
    """The fastest of a few runs, a second."""
    seconds = []
    for _ in range(RUNS):
        started = perf_counter()
        act()
        seconds.append(perf_counter() - started)
    return count / min(seconds)
