"""Fraud: how well cards and transfers are told apart, and how fast the graph's features come.

Peers are measured in the same run. Cards need VERIDICT_DATA; their settings and protocols stand in
`fraud_cards`. snapml and river are no dependencies: where FRAUD_PEERS names a folder that they were
installed into (pip install --target), they are measured there as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.fraud_cards import SETTINGS, TREES, ap, cards, fitted
from benchmarks.fraud_peers import graph_rows, river_rows
from benchmarks.row import Row
from veridict.solutions.finance.payments import Payments
from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import Together
from veridict.watch.training import split_by_time

__all__ = ["SETTINGS", "TREES", "run"]


def run() -> list[Row]:
    return [*_transfers(), *_cards(), *graph_rows(), *river_rows()]


def _transfers() -> Iterator[Row]:
    """AMLSim by time, 60/20/20: trained on the first three fifths, tested on the last."""
    rows = Payments.amlsim().load()
    sets = Together([PaymentFeatures(), HabitFeatures(), GraphFeatures()])
    x, split, y = sets.batch(rows), split_by_time(rows), rows.labels
    train, test = np.arange(split.train), np.arange(split.test, len(rows))
    value, alone = (ap(fitted(f, y, train), f, y, test) for f in (x, x[:, :1]))
    yield Row("fraud.amlsim_ap", value, "average precision", "on the amount alone", alone)


def _cards() -> Iterator[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if root:
        yield from cards(Path(root))
