"""Federations: what training apart costs in accuracy, in CPU, in bytes, in gas, in memory.

    heart    Cleveland heart disease, 4 silos by quarter of age, logistic, 20 random splits
    credit   UCI credit default, 4 silos by education, trees, 2 random splits

The gap is that of the rule `mean`, with which honest silos lose nothing but what separates them;
`trust`, the default, is told beside it, with a root batch of a fifteenth of the rows, of no silo.
A masked round is all of 4 parties' and the combiner's work in one process, without network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow.csv
import pyarrow.parquet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sklearn.metrics import roc_auc_score

from benchmarks.row import Row
from tests.support.hostile import ATTACKS, hostile_update
from tests.support.masked import Group
from veridict.federated.fixed import ONE
from veridict.federated.learners import Learner, Rows, learner_of
from veridict.federated.learners.prepared import Prepared
from veridict.federated.round import GroupSum, turn
from veridict.federated.rules import rule_named
from veridict.federated.statistics import Feature

GAS = Path(__file__).parents[1] / "tests" / "contracts" / "federation_gas.json"
ROUNDS = 5
NODES = 16  # for gas: what a round needs once is shared by so many
HOSTILE, PARTIES = 3, 10


def run() -> list[Row]:
    rows = [*_masked(31, "31"), *_masked(100_000, "100k"), *_committee(), *_gas(), _memory()]
    data = os.environ.get("VERIDICT_DATA")
    if not data:
        print("  VERIDICT_DATA is not set: no accuracy of federations is measured")
        return rows
    heart, credit = _heart(Path(data)), _credit(Path(data))
    for rule, suffix in (("mean", ""), ("trust", "_trust")):
        gaps = {
            "heart": _gap(*heart, "logistic", rule, range(20)),
            "credit": _gap(*credit, "trees", rule, range(2)),
        }
        rows += [
            Row(f"fed.pooled_auc_gap{suffix}_{name}", pool - fed, "AUC", "pooled AUC", pool)
            for name, (fed, pool) in gaps.items()
        ]
        worst = max(pool - fed for fed, pool in gaps.values())
        rows.append(Row(f"fed.pooled_auc_gap{suffix}", worst, "AUC"))
    rows.append(Row("fed.byzantine30_gap", _byzantine(credit[0]), "AUC"))
    return rows


def _masked(length: int, name: str) -> list[Row]:
    values = np.random.default_rng(0).integers(-ONE, ONE, (4, length))
    spent = []
    for _ in range(ROUNDS):
        group = Group([Ed25519PrivateKey.generate() for _ in range(4)], length)
        began = process_time()
        total = group.sum(values)
        spent.append(process_time() - began)
        assert (total == values.sum(axis=0)).all()
    rows = [Row(f"fed.masked_round_ms_{name}", 1000 * min(spent), "ms CPU")]
    if length == 100_000:
        plain = 4 * length
        rows.append(Row("fed.bytes_ratio", group.sent / 4 / plain, "", "float32 update", plain))
    return rows


def _committee() -> list[Row]:
    """A member deals its update of 100,000 numbers; a seat measures and adds those of four."""
    command = [sys.executable, "-m", "benchmarks.fed_committee"]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=alone)
    found = json.loads(run.stdout)
    return [
        Row("fed.committee_deal_ms_100k", 1000 * found["deal_s"], "ms CPU"),
        Row("fed.committee_seat_ms_100k", 1000 * found["seat_s"], "ms CPU"),
        Row("fed.committee_bytes_ratio", found["ratio"], "", "float32 update", 400_000),
    ]


def _gas() -> list[Row]:
    gas = json.loads(GAS.read_text())
    own = gas["Federation.commit"] + gas["Federation.reveal"]
    once = ("open_round", "vote, first, about", "vote, deciding, about", "finalise")
    shared = sum(gas[f"Federation.{name}"] for name in once)
    return [
        Row("fed.gas_per_node", own + shared / NODES, "gas", "its own transactions", own),
        Row("fed.gas_per_node_of_4", own + shared / 4, "gas", "its own transactions", own),
    ]


def _memory() -> Row:
    """The largest resident size of a process that trains, masks and sums, without torch."""
    command = [sys.executable, "-m", "benchmarks.fed_worker"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return Row("fed.worker_rss_mb", float(run.stdout), "MB")


# -- accuracy -----------------------------------------------------------------------------------

Data = tuple[Rows, np.ndarray]  # rows, and each row's silo


def _heart(data: Path) -> tuple[Rows, np.ndarray]:
    table = pyarrow.csv.read_csv(data / "health" / "heart_303.csv.gz")
    names = [name for name in table.column_names if name != "output"]
    features = np.stack([np.asarray(table[name], float) for name in names], axis=1)
    age = features[:, names.index("age")]
    return _rows(features, table["output"]), np.searchsorted(
        np.quantile(age, [0.25, 0.5, 0.75]), age
    )


def _credit(data: Path) -> tuple[Rows, np.ndarray]:
    table = pyarrow.parquet.read_table(data / "credit" / "uci_credit_default.parquet")
    label = next(name for name in table.column_names if "default" in name.lower())
    names = [name for name in table.column_names if name not in (label, "ID")]
    features = np.stack([np.asarray(table[name], float) for name in names], axis=1)
    return _rows(features, table[label]), features[:, names.index("EDUCATION")].clip(1, 4)


def _rows(features: np.ndarray, labels: object) -> Rows:
    return Rows(features, np.asarray(labels).astype(np.int8))


def _gap(
    rows: Rows, silo: np.ndarray, learner: str, rule: str, seeds: Sequence[int]
) -> tuple[float, float]:
    """Mean AUC of the federation, and of the same learner on the pool."""
    found = []
    for seed in seeds:
        part = np.random.default_rng(seed).random(len(rows))
        test, root = _where(rows, part < 0.3), _where(rows, (part >= 0.3) & (part < 0.37))
        silos = [_where(rows, (part >= 0.37) & (silo == which)) for which in np.unique(silo)]
        pool = _where(rows, part >= 0.37)
        apart, together = (_trained(learner, rule, parties, root) for parties in (silos, [pool]))
        found.append(
            [roc_auc_score(test.labels, score(test.features)) for score in (apart, together)]
        )
    federated, pooled = np.mean(found, axis=0)
    return float(federated), float(pooled)


def _trained(
    name: str, rule: str, parties: Sequence[Rows], root: Rows
) -> Callable[..., np.ndarray]:
    whole = Rows(
        np.concatenate([p.features for p in parties]), np.concatenate([p.labels for p in parties])
    )
    learner = _learner(whole, name, max(map(len, parties)))
    state = learner.start()
    while not learner.finished(state):
        updates = [learner.update(state, rows) for rows in parties]
        sums = [GroupSum.of([n], [update]) for n, update in enumerate(updates)]
        toward = learner.update(state, root)
        state = turn(learner, state, sums, rule_named(rule, 0), toward).state
    return lambda features: learner.scores(state, features)


def _learner(rows: Rows, name: str, rows_max: int) -> Learner:
    """Public ranges are those of all rows."""
    columns = enumerate(rows.features.T)
    features = [Feature(f"f{i}", float(c.min()), float(c.max()) + 1e-9) for i, c in columns]
    return Prepared(features, rows_max, lambda scale: learner_of(name, {}, scale))


def _byzantine(rows: Rows) -> float:
    """The largest loss of AUC to any attack by 3 of 10 parties, logistic under `trust`."""
    rng = np.random.default_rng(0)
    part = rng.integers(0, PARTIES + 4, len(rows))
    parties = [_where(rows, part == n) for n in range(PARTIES)]
    root, test = _where(rows, part == PARTIES), _where(rows, part > PARTIES)
    clean, _ = _attacked(None, parties, root, test)
    return max(clean - _attacked(attack, parties, root, test)[0] for attack in ATTACKS)


def _attacked(
    attack: str | None, parties: Sequence[Rows], root: Rows, test: Rows
) -> tuple[float, bytes]:
    learner = _learner(parties[0], "logistic", max(map(len, parties)))
    state = learner.start()
    while not learner.finished(state):
        updates = [learner.update(state, rows) for rows in parties]
        if attack is not None:
            honest = [learner.vector(state, rows, 0) for rows in parties[HOSTILE:]]
            for n in range(HOSTILE):
                updates[n] = hostile_update(
                    attack, learner, state, parties[n], honest, learner.clip(state)
                )
        sums = [GroupSum.of([n], [update]) for n, update in enumerate(updates)]
        toward = learner.update(state, root)
        state = turn(learner, state, sums, rule_named("trust", HOSTILE), toward).state
    return float(roc_auc_score(test.labels, learner.scores(state, test.features))), state


def _where(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.features[chosen], rows.labels[chosen])
