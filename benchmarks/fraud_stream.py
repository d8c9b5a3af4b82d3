"""A stream of payments end to end on one core: how many a second, and how long one waits.

Attested means: features, score, reasons, decision, commitments, sealed payload and record on
disk, and all of them under a signed checkpoint. The model is the demo's, on the later fifth of the
shipped transfers.

The wait is measured at half the rate that the issue of attested decisions asks for, 10,000 a
second: payments are due at fixed times whatever the node does (an open loop), the node takes what
is due whenever it is free, and a payment's time runs from when it was due until its record is on
disk. Payments come in a process of their own in life; here they lie in a table, so reading them
costs nothing.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.demo import one_core
from benchmarks.row import Row
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.progress import silent
from veridict.services.demo.learn import learn
from veridict.services.garbage import only_new_garbage
from veridict.services.node import Node
from veridict.services.watching import BATCH, extractor_sees, watch
from veridict.solutions.finance.payments import Payments
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Table
from veridict.watch.training import split_by_time

CHECKPOINT_EVERY = 8192
ARRIVALS_PER_S = 10_000
RUNS = 3


def run() -> list[Row]:
    with one_core(), tempfile.TemporaryDirectory() as place:
        stand = _learned(Path(place) / "learned")
        speeds = [_speed(stand, Path(place) / f"speed{n}") for n in range(RUNS)]
        waits = [_wait(stand, Path(place) / f"wait{n}") for n in range(RUNS)]
    p50, p99 = min(waits, key=lambda wait: wait[1])
    return [
        Row("fraud.attested_per_s", round(max(speeds)), "decisions/s on one core"),
        Row("fraud.p50_ms", round(p50, 2), f"ms at {ARRIVALS_PER_S:,} payments/s on one core"),
        Row("fraud.p99_ms", round(p99, 2), f"ms at {ARRIVALS_PER_S:,} payments/s on one core"),
    ]


@dataclass(frozen=True, slots=True)
class Stand:
    """A home in which the model is at work, and the payments before and after it was trained."""

    home: Path
    scenario: Payments
    past: Table[Any]
    live: Table[Any]


def _learned(home: Path) -> Stand:
    scenario = Payments.amlsim()
    rows = scenario.load()
    with open_node(Settings(home), scenario) as node:
        learn(node, scenario, rows, silent)
    live_from = split_by_time(rows).test
    return Stand(home, scenario, rows.slice(0, live_from), rows.slice(live_from, len(rows)))


@contextmanager
def _ready(stand: Stand, home: Path) -> Iterator[tuple[Node, Extractor[Any]]]:
    """A fresh copy of the home, and features that have seen the past."""
    shutil.copytree(stand.home, home)
    with open_node(Settings(home), stand.scenario) as node:
        extractor = stand.scenario.extractor()
        extractor_sees(extractor, stand.past)
        for count in (1, BATCH):  # machine code is compiled or loaded once
            node.predict(np.zeros((count, node.at_work().model.n_features)))
        gc.collect()
        yield node, extractor


def _speed(stand: Stand, home: Path) -> float:
    with _ready(stand, home) as (node, extractor):
        began = time.perf_counter()
        for part in stand.live.batches(CHECKPOINT_EVERY):
            watch(node, part, extractor, anchor_every=1 << 40)
            node.log.checkpoint()
        return len(stand.live) / (time.perf_counter() - began)


def _wait(stand: Stand, home: Path) -> tuple[float, float]:
    with _ready(stand, home) as (node, extractor):
        return _waited(node, stand.live, extractor)


@only_new_garbage()
def _waited(node: Node, live: Table[Any], extractor: Extractor[Any]) -> tuple[float, float]:
    """Median and 99th percentile, ms."""
    live = live.unlabelled()
    due = np.arange(len(live)) / ARRIVALS_PER_S
    done = np.empty(len(live))
    decided = signed = 0
    began = time.perf_counter()
    while decided < len(live):
        ready = int(np.searchsorted(due, time.perf_counter() - began, side="right"))
        if ready == decided:
            time.sleep(0.0005)
            continue
        batch = live.slice(decided, min(ready, decided + BATCH))
        node.predict(extractor.batch(batch), batch.requests())
        done[decided : decided + len(batch)] = time.perf_counter() - began
        decided += len(batch)
        if decided - signed >= CHECKPOINT_EVERY:
            node.log.checkpoint()
            signed = decided
    waits = (done - due) * 1000
    return float(np.percentile(waits, 50)), float(np.percentile(waits, 99))
