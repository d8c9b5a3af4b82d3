"""Workers that share a stream over NATS: one, then two, on this machine; and what the broker takes.

The shipped transfers are sent first, in messages of 256 payments for 16 partitions; then the
workers start. The rate is that of the last nine tenths of the decisions, when all are at work.
Each worker is a process with a home of its own (model, features, log, embedded chain) on a core of
its own, as far as there are enough, and anchors nothing meanwhile. The broker's share is its
processor time a payment, sending included. Needs nats-server.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.row import Row
from tests.support.nats import running_nats
from tests.support.workers import worker
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.progress import silent
from veridict.ledger.log import Log
from veridict.services.demo.learn import learn
from veridict.services.workers.sending import send
from veridict.solutions.finance.payments import Payments
from veridict.watch.broker.nats import NatsBroker
from veridict.watch.feeds.normal import Event, event

PARTITIONS = 16
START = 0.1  # of the decisions are made before the clock starts
EVERY_S = 0.2
NAMES = {1: "fraud.worker_per_s", 2: "fraud.two_workers_per_s"}


def run() -> list[Row]:
    if shutil.which("nats-server", path=f"{os.environ.get('PATH')}:/usr/sbin") is None:
        print("  no nats-server: nothing is measured")
        return []
    scenario, events = Payments.amlsim(), _events()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "learned"
        with open_node(Settings(home), scenario) as node:
            learn(node, scenario, scenario.load(), silent)
        for workers, name in NAMES.items():
            homes = [Path(place) / f"{workers}.{number}" for number in range(workers)]
            for one in homes:
                shutil.copytree(home, one)
            rate, broker_s = _measured(homes, events)
            rows.append(Row(name, round(rate), "decisions/s"))
    return [*rows, Row("fraud.broker_us", round(broker_s * 1e6, 2), "µs of the broker a payment")]


def _events() -> list[Event]:
    rows = Payments.amlsim().load()
    return [
        event(
            id, time_s, payer=payer, payee=payee, amount=minor, amount_minor=minor, asset="XXX",
            source="amlsim",
        )
        for id, time_s, payer, payee, minor in zip(
            rows.ids, rows.times_s.tolist(), rows.strings("payer"), rows.strings("payee"),
            rows.integers("amount_minor").tolist(), strict=True,
        )
    ]  # fmt: skip


def _measured(homes: Sequence[Path], events: Sequence[Event]) -> tuple[float, float]:
    """Decisions a second, and the broker's processor seconds a payment."""
    with ExitStack() as opened:
        server = opened.enter_context(running_nats())
        broker = NatsBroker(server.url, partitions=PARTITIONS)
        opened.callback(broker.close)
        send(broker, events)
        logs = [opened.enter_context(Log.open_readonly(home / "log")) for home in homes]
        before = sum(log.size for log in logs)
        for number, home in enumerate(homes):
            child = opened.enter_context(worker(home, server.url, lease_s=5))
            os.sched_setaffinity(child.process.pid, {number % (os.cpu_count() or 1)})
        told: list[tuple[float, int]] = []
        while not told or told[-1][1] < len(events):
            time.sleep(EVERY_S)
            told.append((time.perf_counter(), sum(log.size for log in logs) - before))
        used = _processor_s(server.pid)
    first = next(one for one in told if one[1] >= START * len(events))
    return (told[-1][1] - first[1]) / (told[-1][0] - first[0]), used / len(events)


def _processor_s(pid: int) -> float:
    """User and system time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
