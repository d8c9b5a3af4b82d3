"""The spine end to end: a stream decided, attested and anchored, on one core.

The peer of the rate is LightGBM alone on the same batches of the same rows:
scores that nobody recorded. Gas comes from receipts.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.row import Row
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.services.demo.learn import card_of, compiled_and_compared
from veridict.services.node import Node
from veridict.services.watching import BATCH, extractor_sees, watch
from veridict.solutions.finance.payments import Payment, Payments
from veridict.watch.stream import Table
from veridict.watch.training import Trained, train

KIB_PER_MIB = 1024


def run() -> list[Row]:
    with one_core():
        rows = _spine()
    return [*rows, Row("demo.node_rss_mb", _peak_memory_mib(), "MiB")]


@contextmanager
def one_core() -> Iterator[None]:
    """Confine this process to one processor, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _spine() -> list[Row]:
    scenario = Payments.amlsim()
    data = scenario.load()
    trained = train(scenario, data)
    live = data.slice(trained.split.test, len(data))
    alone = _scored_per_second(trained, scenario, data, live)
    with tempfile.TemporaryDirectory() as home, open_node(Settings(Path(home)), scenario) as node:
        _register(node, scenario, data, trained)
        extractor = scenario.extractor()
        extractor_sees(extractor, data.slice(0, trained.split.test))
        watched = watch(node, live, extractor)
        sizes = [size for size, _ in watched.anchors]
        return [
            Row(
                "demo.decisions_per_s",
                watched.per_second,
                "1/s",
                "features and LightGBM alone, unrecorded",
                alone,
            ),
            Row(
                "demo.gas_per_prediction",
                watched.anchors[-1][1] / (sizes[-1] - sizes[-2]),
                "gas",
            ),
            Row("demo.judge_gas", _judge_gas(node), "gas"),
        ]


def _register(node: Node, scenario: Payments, data: Table[Payment], trained: Trained) -> None:
    compiled, _ = compiled_and_compared(trained)
    node.register(compiled.working, card_of(scenario, data, trained, compiled))
    node.predict(trained.validation_features[:BATCH])  # machine code is compiled or loaded once


def _scored_per_second(
    trained: Trained, scenario: Payments, data: Table[Payment], live: Table[Payment]
) -> float:
    extractor: Any = scenario.extractor()
    extractor_sees(extractor, data.slice(0, trained.split.test))
    began = time.perf_counter()
    for batch in live.unlabelled().batches(BATCH):
        trained.booster.predict(extractor.batch(batch), raw_score=True, num_threads=1)
    return len(live) / (time.perf_counter() - began)


def _judge_gas(node: Node) -> int:
    """One transaction in which the judge contract runs the whole model."""
    payload = node.log.payload(next(iter(node.board.cases)))
    assert payload is not None
    model_id = node.at_work().model.id
    return node.network.judge.send("score", model_id, payload.inputs).gas_used


def _peak_memory_mib() -> float:
    """Of a whole `veridict up --demo`, training included."""
    command = [
        sys.executable,
        "-m",
        "veridict.apps.cli.main",
        "up",
        "--demo",
        "--once",
        "--port",
        "0",
    ]
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([*command, "--home", home], check=True, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / KIB_PER_MIB if sys.platform == "linux" else peak / KIB_PER_MIB**2
