"""Fraud: how well cards and transfers are told apart, and how fast the graph's features come.

Every setting stands here and was chosen on months before the test: on the handbook's protocol
moved to 27 June and 4 July, and on July for the temporal split. Peers are measured in the same
run. Cards need VERIDICT_DATA. snapml and river are no dependencies: where FRAUD_PEERS names a
folder that they were installed into (pip install --target), they are measured there as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.fraud_peers import graph_rows, river_rows
from benchmarks.row import Row
from veridict.solutions.finance.payments import Payments
from veridict.solutions.roster import scenario_of
from veridict.watch.arrays import F64, I8, I64
from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import Together
from veridict.watch.metrics import average_precision
from veridict.watch.protocols import handbook, temporal
from veridict.watch.stream import Table
from veridict.watch.training import split_by_time

DAY_S = 86_400
DELAY_S = 7 * DAY_S
SEEDS = (1, 2, 3)  # the mean of their raw scores
SETTINGS = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.03, "min_data_in_leaf": 20,
    "lambda_l2": 5.0, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
TREES = 200
# What served the plain windows best of the settings tried on July, so that they too have theirs.
WINDOWS_OWN = {"num_leaves": 31, "learning_rate": 0.05, "min_data_in_leaf": 100}
WINDOWS_OWN_TREES = 300
PLAIN = "LightGBM, same settings, on the handbook's windows (counts, means, delayed risk)"
DEFAULTS = "LightGBM's defaults on the handbook's windows"
TUNED = "LightGBM on the handbook's windows, with the settings that served them best on July"


def run() -> list[Row]:
    return [*_transfers(), *_cards(), *graph_rows(), *river_rows()]


def _transfers() -> Iterator[Row]:
    """AMLSim by time, 60/20/20: trained on the first three fifths, tested on the last."""
    rows = Payments.amlsim().load()
    sets = Together([PaymentFeatures(), HabitFeatures(), GraphFeatures()])
    x, split, y = sets.batch(rows), split_by_time(rows), rows.labels
    train, test = np.arange(split.train), np.arange(split.test, len(rows))
    value = _ap(x, y, train, test)
    alone = _ap(x[:, :1], y, train, test)
    yield Row("fraud.amlsim_ap", value, "average precision", "on the amount alone", alone)


def _cards() -> Iterator[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if not root:
        return
    rows = scenario_of("payments", data="fdh", data_root=Path(root)).load()
    y, x, plain = rows.labels, _card_features(rows), windows(rows)
    train, test = handbook(rows, _second(2018, 7, 25))
    value, peer = (_ap(f, y, train, test) for f in (x, plain))
    yield Row("fraud.fdh_handbook_ap", value, "average precision", PLAIN, peer)
    train, test = temporal(rows, _second(2018, 8, 1), DELAY_S, skip_s=30 * DAY_S)
    value, peer = (_ap(f, y, train, test) for f in (x, plain))
    tuned = _ap(plain, y, train, test, WINDOWS_OWN_TREES, WINDOWS_OWN)
    default = _default_ap(plain, y, train, test)
    yield Row("fraud.fdh_temporal_ap", value, "average precision", PLAIN, peer)
    for name, title, other in (
        ("gain", PLAIN, peer),
        ("gain_over_tuned", TUNED, tuned),
        ("gain_over_defaults", DEFAULTS, default),
    ):
        gain = round(100 * (value / other - 1), 2)
        yield Row(f"fraud.fdh_temporal_ap_{name}", gain, "% more than the peer's AP", title, other)


def _card_features(rows: Table[Any]) -> F64:
    sets = Together([PaymentFeatures(label_delay_s=DELAY_S), HabitFeatures(label_delay_s=DELAY_S)])
    return np.concatenate([sets.batch(part) for part in rows.batches(8192)])


def _second(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def _ap(x: F64, y: I8, train: I64, test: I64, trees: int = TREES, changed: Any = None) -> float:
    score = np.zeros(len(test))
    for seed in SEEDS:
        data = lightgbm.Dataset(x[train], y[train], params={"verbose": -1})
        settings = {**SETTINGS, **(changed or {}), "seed": seed}
        score += lightgbm.train(settings, data, trees).predict(x[test], raw_score=True)
    return _exact_ap(score / len(SEEDS), y[test])


def _default_ap(x: F64, y: I8, train: I64, test: I64) -> float:
    settings = {"objective": "binary", "num_threads": 1, "verbose": -1}
    model = lightgbm.train(settings, lightgbm.Dataset(x[train], y[train]), 100)
    return _exact_ap(np.asarray(model.predict(x[test], raw_score=True)), y[test])


def _exact_ap(score: F64, y: I8) -> float:
    raw = np.rint(score * 2**32).astype(np.int64)
    return round(float(average_precision(raw, y) or 0), 4)


def windows(rows: Table[Any]) -> F64:
    """The handbook's own features: exact windows of 1, 7 and 30 days, risk a week late."""
    times, y = rows.times_s, np.maximum(rows.labels, 0).astype(np.float64)
    payer, payee = (np.unique(rows.strings(s), return_inverse=True)[1] for s in ("payer", "payee"))
    amount = rows.integers("amount_minor") / 100.0
    columns = [amount, ((times // DAY_S + 3) % 7 >= 5).astype(float), times % DAY_S // 3600 <= 6]
    for days in (1, 7, 30):
        count, total = _window(times, payer, amount, days * DAY_S, 0)
        columns += [count, total / np.maximum(count, 1)]
        count, total = _window(times, payee, y, days * DAY_S, DELAY_S)
        columns += [count, total / np.maximum(count, 1)]
    return np.column_stack(columns)


def _window(times: I64, key: I64, value: F64, width_s: int, delay_s: int) -> tuple[F64, F64]:
    """Rows of the same key in (now - delay - width, now - delay], and the sum of their values."""
    order = np.lexsort((np.arange(len(times)), key))
    k, t, total = key[order], times[order], np.append(0.0, np.cumsum(value[order]))
    span = int(times[-1]) + width_s + delay_s + 1
    place = k * span + t  # rising: by key, then by time
    newest = np.searchsorted(place, k * span + np.maximum(t - delay_s, 0), side="right")
    if not delay_s:
        newest = np.minimum(newest, np.arange(len(t)) + 1)  # the row itself, none of its second
    oldest = np.searchsorted(place, k * span + np.maximum(t - delay_s - width_s, 0), side="right")
    count, sums = np.empty(len(t)), np.empty(len(t))
    count[order] = np.maximum(newest - oldest, 0)
    sums[order] = np.where(newest > oldest, total[newest] - total[oldest], 0.0)
    return count, sums
