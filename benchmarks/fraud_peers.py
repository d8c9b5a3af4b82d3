"""The graph's features beside snapml's, the cards' models beside river's, in the same run.

Both stand outside the environment, in the folder FRAUD_PEERS; without it, only ours are measured.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.row import Row
from veridict.solutions.finance.payments import SHAPE, Payment, Payments
from veridict.solutions.roster import scenario_of
from veridict.watch.arrays import F64
from veridict.watch.features.graph import GraphFeatures, GraphSettings
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.metrics import average_precision
from veridict.watch.stream import Table

DAY_S = 86_400
WINDOW_S = 30 * DAY_S
BATCH = 512
LONG_ROWS = 28_000  # a full window, and some; beyond, snapml takes minutes
EQUAL_ROWS = 20_000
BINS = [2, 3, 4, 5, 6]
CYCLES = ("cycles_2", "cycles_3", "cycles_4", "cycles_5", "cycles_6_10")
SCATTERS = ("scatter_2", "scatter_3", "scatter_4")
PATTERNS = ("fan", "degree", "scatter-gather")
RIVER_FROM, RIVER_ROWS = 900_000, 60_000


def peer(name: str) -> Any | None:
    """The module from FRAUD_PEERS, behind all that is installed; None where it is not."""
    folder = os.environ.get("FRAUD_PEERS", "")
    if folder and folder not in sys.path:
        sys.path.append(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError:
        return None


def graph_rows() -> Iterator[Row]:
    """Fans, degrees, scatter-gathers and cycles of 30 days, in batches of 512, one thread."""
    rows = one_a_second(Payments.amlsim().load())
    GraphFeatures().batch(rows.slice(0, 1))  # compiled, or read from the cache
    snapml = peer("snapml")
    for name, ordered, cycle, n in (
        ("fraud.features", True, "temp-cycle", len(rows)),
        ("fraud.features_long_cycles", False, "lc-cycle", LONG_ROWS),
    ):
        part = rows.slice(0, n)
        settings = GraphSettings(window_s=WINDOW_S, ordered=ordered, budget=1 << 22)
        best = max(_ours(settings, part)[1] for _ in range(3))
        yield Row(f"{name}_per_s", round(best), "payments/s of processor time")
        if snapml is not None:
            kinds = (*PATTERNS, cycle)
            theirs = max(_theirs(snapml, part, kinds, BATCH)[1] for _ in range(1 if n < 1e5 else 2))
            title = f"snapml's GraphFeaturePreprocessor, {cycle}, payments/s"
            yield Row(f"{name}_vs_snapml", best / theirs, "× as fast", title, round(theirs))
            if ordered:
                yield from _equal(snapml, rows.slice(0, EQUAL_ROWS), settings)


def _equal(snapml: Any, rows: Table[Payment], settings: GraphSettings) -> Iterator[Row]:
    """The share of rows with snapml's counts; given one by one, so that it sees no later rows."""
    ours = _ours(settings, rows, 1)[0]
    at = {feature.name: n for n, feature in enumerate(GraphFeatures.features)}
    cycles, _ = _theirs(snapml, rows, ("temp-cycle",), 1)
    scatters, _ = _theirs(snapml, rows, ("scatter-gather",), 1)
    same = (cycles == ours[:, [at[n] for n in CYCLES]]).all(axis=1)
    grouped = np.column_stack([scatters[:, :2], scatters[:, 2:].sum(axis=1)])
    same &= (grouped == ours[:, [at[n] for n in SCATTERS]]).all(axis=1)
    yield Row("fraud.features_equal_to_snapml", float(same.mean()), "share of rows with its counts")


def one_a_second(rows: Table[Payment]) -> Table[Payment]:
    """The day's transfers one second apart, so that both sides know their order."""
    day = rows.times_s
    starts = np.flatnonzero(np.append(True, day[1:] != day[:-1]))
    within = np.arange(len(day)) - np.repeat(starts, np.diff(np.append(starts, len(day))))
    at = rows.rows.schema.get_field_index("time_s")
    field = rows.rows.schema.field(at)
    return Table(rows.rows.set_column(at, field, pa.array(day + within)), SHAPE)


def _ours(settings: GraphSettings, rows: Table[Payment], batch: int = BATCH) -> tuple[F64, float]:
    extractor, start = GraphFeatures(settings=settings), process_time()
    x = np.concatenate([extractor.batch(part) for part in rows.batches(batch)])
    return x, len(rows) / (process_time() - start)


def _theirs(
    snapml: Any, rows: Table[Payment], kinds: tuple[str, ...], batch: int
) -> tuple[F64, float]:
    finder = snapml.GraphFeaturePreprocessor()
    wanted = finder.get_params() | {"num_threads": 1, "time_window": WINDOW_S}
    for kind in ("vertex_stats", *PATTERNS, "temp-cycle", "lc-cycle"):
        wanted |= {kind: kind in kinds, f"{kind}_tw": WINDOW_S}
    wanted |= {"scatter-gather_bins": BINS[:4], "temp-cycle_bins": BINS, "lc-cycle_bins": BINS}
    finder.set_params(wanted)
    names = np.unique([rows.strings("payer"), rows.strings("payee")], return_inverse=True)[1]
    payer, payee = names.reshape(2, -1)
    times = rows.times_s - rows.times_s[0]
    edges = np.column_stack([np.arange(len(rows)), payer, payee, times]).astype(float)
    start = process_time()
    found = [
        finder.transform(np.ascontiguousarray(edges[at : at + batch]))[:, 4:]
        for at in range(0, len(edges), batch)
    ]
    return np.vstack(found), len(rows) / (process_time() - start)


def river_rows() -> Iterator[Row]:
    """River's models on cards, each scored before it learns, a week's worth of rows."""
    root = os.environ.get("VERIDICT_DATA")
    if not root or peer("river") is None:
        return
    rows = scenario_of("payments", data="fdh", data_root=Path(root)).load()
    extractor = PaymentFeatures(label_delay_s=7 * DAY_S)
    part = rows.slice(RIVER_FROM, RIVER_FROM + RIVER_ROWS)
    extractor.batch(rows.slice(0, RIVER_FROM))
    x, y = np.nan_to_num(extractor.batch(part)), part.labels
    names = [feature.name for feature in extractor.features]
    linear, anomaly = import_module("river.linear_model"), import_module("river.anomaly")
    scale = import_module("river.preprocessing")
    for title, model in (
        ("LogisticRegression", scale.StandardScaler() | linear.LogisticRegression()),
        ("HalfSpaceTrees", scale.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=10, seed=1)),
    ):
        ap, rate = _learned(model, x, y.tolist(), names, title == "LogisticRegression")
        yield Row(f"fraud.river_{title.lower()}_ap", ap, "average precision, one by one")
        yield Row(f"fraud.river_{title.lower()}_per_s", round(rate), "rows/s, features ready")


def _learned(
    model: Any, x: F64, y: list[int], names: list[str], labelled: bool
) -> tuple[float, float]:
    scores, start = [], process_time()
    for values, label in zip(x.tolist(), y, strict=True):
        row = dict(zip(names, values, strict=True))
        if labelled:
            scores.append(model.predict_proba_one(row).get(True, 0.0))
            model.learn_one(row, bool(label))
        else:
            scores.append(model.score_one(row))
            model.learn_one(row)
    rate = len(y) / (process_time() - start)
    raw = np.rint(np.array(scores) * 2**32).astype(np.int64)
    return round(float(average_precision(raw, np.array(y, np.int8)) or 0), 4), rate
