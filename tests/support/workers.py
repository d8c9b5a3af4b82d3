"""Homes of workers with a small model, their payments, and what their logs say of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from tests.support.feeds import paid
from tests.support.small_pack import card_of
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import LinearModel, Quantiser
from veridict.models.working import WorkingModel
from veridict.services.feeding.means import means_of
from veridict.services.node import Node
from veridict.services.records import is_prediction
from veridict.services.workers.partition import Desk
from veridict.watch.arrays import F64
from veridict.watch.broker.base import Broker, partition_of
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.rows import arrived, seconds_of

PROJECT = Path(__file__).parents[2]
FEATURES = ("amount", "payer_paid_30d", "payer_ratio", "pair_30d")


def model() -> tuple[WorkingModel, tuple[str, ...]]:
    quantisers = tuple(Quantiser(8, 0, 1 << 24, 0) for _ in FEATURES)
    weights = tuple((1 << (20 + n),) for n in range(len(FEATURES)))
    canonical = CanonicalModel.from_parts(LinearModel(quantisers, (-(1 << 30),), weights, 8))
    return WorkingModel(canonical, Annex(canonical.id, ())), FEATURES


def made_home(home: Path) -> Path:
    """A node's home in which the model is at work."""
    working, features = model()
    card = replace(card_of(working.model, working.annex), features=features)
    with open_node(Settings(home)) as node:
        node.register(working, card)
    return home


def desk(node: Node, broker: Broker, worker: str) -> Desk:
    return Desk(node, broker, worker, Assets(), means_of(FEATURES, lambda: ()))


def payments(count: int, first: int = 0, prefix: str = "w") -> list[Event]:
    """In the order of time, of few payers; ids begin with `prefix`."""
    return [
        paid(
            f"{prefix}-{n}",
            at=50 * n,
            payer=f"a{n * n % 23}",
            payee=f"b{n % 7}",
            amount=100 + n % 977,
        )
        for n in range(first, first + count)
    ]


def decided(homes: Sequence[Path]) -> tuple[Counter[str], dict[str, bytes]]:
    """How often each payment was decided in all the logs together, and on which inputs."""
    found: Counter[str] = Counter()
    inputs: dict[str, bytes] = {}
    for home in homes:
        with open_node(Settings(home)) as node:
            assert all(check.passed for check in node.audit() if check.examined)
            pairs = zip(node.log.bodies(), node.log.payloads(), strict=True)
            for body, payload in pairs:
                if is_prediction(body) and payload is not None:
                    found[payload.request.id] += 1
                    inputs[payload.request.id] = payload.inputs
    return found, inputs


def expected_features(events: Sequence[Event], partitions: int) -> dict[str, F64]:
    """By payment, what one extractor a partition says that sees all of it in order."""
    found: dict[str, F64] = {}
    for number in range(partitions):
        own = [e for e in events if partition_of(e.transfer.payer, partitions) == number]
        if not own:
            continue
        extractor = PaymentFeatures()
        names = [feature.name for feature in extractor.features]
        x = extractor.batch(arrived(own, seconds_of([e.time_s for e in own])))
        x = np.ascontiguousarray(x[:, [names.index(name) for name in FEATURES]])
        found |= {event.id: row for event, row in zip(own, x, strict=True)}
    return found


@dataclass(slots=True)
class Child:
    """`veridict worker run` in a process of its own."""

    process: subprocess.Popen[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> dict[str, int]:
        """What it says that it did."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err[-3000:]
        told: dict[str, int] = msgspec.json.decode(out.splitlines()[-1])
        return told


@contextmanager
def worker(home: Path, url: str, *, lease_s: float = 1.5) -> Iterator[Child]:
    command = [
        sys.executable, "-m", "veridict.apps.cli.main", "worker", "run", url, "--home", str(home),
        "--model-alone", "--anchor-every", "0", "--lease", str(lease_s), "--json",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
