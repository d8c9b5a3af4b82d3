"""`veridict federate simulate`: from a table, or from drawn rows, to rounds of many members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from veridict.apps.federating.table import read_rows
from veridict.core.errors import BadInput
from veridict.federated.learners import Learner, Rows, learner_of
from veridict.federated.learners.prepared import Prepared
from veridict.federated.statistics import Feature
from veridict.services.federation.simulation import Plan, Simulated, simulate

_TEST, _ROOT = 0.2, 0.05  # of the rows; the rest is the members'
_UNEVEN = 12  # the largest member's rows are fewer than so many times the mean
_DRAWN_ROWS, _DRAWN_FEATURES = 30, 8  # a member, where there is no table


def run_simulation(
    plan: Plan, table: Path | None, label: str | None, learner: str, rounds: int
) -> Iterator[Simulated]:
    """Raises BadInput or BadStream for what cannot be simulated."""
    if table is None:
        rows = _drawn(plan.members * _DRAWN_ROWS, plan.seed)
    elif label is None:
        raise BadInput("a table without its label", remedy="give --label")
    else:
        rows = read_rows(table, label)[1]
    part = np.random.default_rng(plan.seed).random(len(rows))
    test, root = _where(rows, part < _TEST), _where(rows, (part >= _TEST) & (part < _TEST + _ROOT))
    members = _where(rows, part >= _TEST + _ROOT)
    rows_max = max(len(root), _UNEVEN * len(members) // plan.members)
    return simulate(plan, _learner(rows, learner, rounds, rows_max), members, root, test)


def _learner(rows: Rows, name: str, rounds: int, rows_max: int) -> Learner:
    ranges = zip(np.nanmin(rows.features, 0), np.nanmax(rows.features, 0), strict=True)
    features = [
        Feature(f"f{n}", float(low), float(high) + 1e-9) for n, (low, high) in enumerate(ranges)
    ]
    return Prepared(features, rows_max, lambda scale: learner_of(name, {"rounds": rounds}, scale))


def _drawn(n: int, seed: int) -> Rows:
    """A logistic world: eight features, of which some matter."""
    rng = np.random.default_rng(seed)
    features = np.clip(rng.normal(size=(n, _DRAWN_FEATURES)), -6, 6)
    chance = 1 / (1 + np.exp(-features @ rng.normal(size=_DRAWN_FEATURES)))
    return Rows(features, (rng.random(n) < chance).astype(np.int8))


def _where(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.features[chosen], rows.labels[chosen])
