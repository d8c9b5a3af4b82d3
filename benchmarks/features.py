"""Payment features and the demo's models: how fast they come, and how good they are.

Peers are measured in the same run. The figures on cards need VERIDICT_DATA.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.row import Row
from veridict.solutions.finance.payments import SHAPE, Payment, Payments
from veridict.solutions.roster import scenario_of
from veridict.watch.arrays import F64
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.training import Trained, train

BATCH_ROWS = 512
ACCOUNTS = 1_000_000
ALONE = "LightGBM on the amount alone"


class _AmountOnly(PaymentFeatures):
    def batch(self, rows: Table[Any]) -> F64:
        return rows.integers("amount_minor")[:, None] / 100.0


class _AmountAlone(Payments):
    """The same payments to a model that sees one number of each."""

    def extractor(self) -> PaymentFeatures:
        return _AmountOnly(label_delay_s=self.label_delay_s)


def run() -> list[Row]:
    scenario = Payments.amlsim()
    rows = scenario.load()
    PaymentFeatures().batch(rows.slice(0, 1))  # compiled, or read from the cache
    start = perf_counter()
    full = train(scenario)
    seconds = perf_counter() - start
    alone = _AmountAlone("amlsim", None)
    alone.feature_names = ("amount",)
    credit = train(scenario_of("credit"))
    return [
        Row("features.payments_per_s", _speed(scenario, rows), "payments/s"),
        Row("features.one_payment_us", _one_by_one_us(rows), "µs"),
        Row("features.million_accounts_mb", _million_accounts_mb(), "MB"),
        Row("training.payments_s", seconds, "s"),
        *_quality("payments", full, train(alone)),
        *_quality("credit", credit, None),
        *_cards(),
    ]


def _quality(name: str, trained: Trained, alone: Trained | None) -> list[Row]:
    rows = [
        _figure(f"training.{name}_ap", trained.test.ap, alone.test.ap if alone else None),
        _figure(
            f"training.{name}_recall_at_1pct",
            trained.test.recall_at_1pct,
            alone.test.recall_at_1pct if alone else None,
        ),
    ]
    for part in trained.by_group:
        if part.where == "amount: 100 and more" and name == "payments":
            others = alone.by_group if alone else ()
            peer = next((m.ap for m in others if m.where == part.where), None)
            rows.append(_figure(f"training.{name}_ap_from_100", part.ap, peer))
    return rows


def _figure(name: str, value: Decimal | None, peer: Decimal | None) -> Row:
    kind = "average precision" if "_ap" in name else "share"
    if peer is None:
        return Row(name, float(value or 0), kind)
    return Row(name, float(value or 0), kind, ALONE, float(peer))


def _speed(scenario: Scenario[Any], rows: Table[Any], runs: int = 3) -> float:
    """Payments a second in micro-batches on one core, best of `runs`; the file is read before."""
    best = 0.0
    for _ in range(runs):
        extractor = scenario.extractor()
        start = perf_counter()
        for part in rows.batches(BATCH_ROWS):
            extractor.batch(part)
        best = max(best, len(rows) / (perf_counter() - start))
    return round(best)


def _one_by_one_us(rows: Table[Payment]) -> float:
    """Median of single payments after 50,000 others."""
    extractor = PaymentFeatures()
    extractor.batch(rows.slice(0, 50_000))
    times = []
    for part in list(rows.slice(50_000, 52_000).batches(1)):
        start = perf_counter()
        extractor.batch(part)
        times.append(perf_counter() - start)
    return round(float(np.median(times) * 1e6), 1)


def _million_accounts_mb() -> float:
    """What is held for a million accounts and half as many pairs."""
    extractor = PaymentFeatures()
    half = ACCOUNTS // 2
    for start in range(0, half, 50_000):
        numbers = range(start, start + 50_000)
        columns = {
            "id": [str(n) for n in numbers],
            "time_s": list(numbers),
            "label": [None] * len(numbers),
            "payer": [f"account-{n:07d}" for n in numbers],
            "payee": [f"account-{n + half:07d}" for n in numbers],
            "amount_minor": [100] * len(numbers),
        }
        extractor.batch(Table(pa.table(columns, schema=SHAPE.schema), SHAPE))
    return round(extractor.memory_bytes / 1e6, 1)


def _cards() -> list[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if not root:
        return []
    scenario = scenario_of("payments", data="fdh", data_root=Path(root))
    rows = scenario.load()
    speed = Row("features.cards_per_s", _speed(scenario, rows, runs=1), "payments/s")
    return [speed, *_quality("cards", train(scenario, rows), None)]
