"""Privacy in federations: what epsilon = 3 costs in accuracy, what an attack finds, and matching.

    heart    Cleveland heart disease, 4 silos by quarter of age, delta 1e-3, 20 random splits
    credit   UCI credit default, 4 silos by education, delta 1e-5, 2 random splits

Each row is protected, with the noise of every silo alone; the loss is to the same learner without
a promise. Settings under noise were chosen on the splits 100 and up, told are those from 0 up.
The attack knows half of all other rows and trains 32 federations as shadows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.fed import Data, _credit, _heart, _learner, _where
from benchmarks.row import Row
from veridict.federated.fixed import F64
from veridict.federated.learners import Learner, Rows, learner_of
from veridict.federated.matching.matching import Matching
from veridict.federated.privacy.attack import Leak, bound, membership
from veridict.federated.rules import rule_named
from veridict.federated.simulation import simulate
from veridict.services.federation.drafts import Budget, private_learner, public_scale

EPSILON = 3.0
MODELS, ATTACKED_DELTA = 32, 1e-3
# A network that has learned its rows by heart, as far as a federation lets it.
LEAKY: dict[str, int | float] = {"hidden": 32, "rounds": 60, "epochs": 10, "rate": 0.1}
IDENTIFIERS = 100_000


def run() -> list[Row]:
    rows = [_matching()]
    data = os.environ.get("VERIDICT_DATA")
    if not data:
        print("  VERIDICT_DATA is not set: no privacy of federations is measured")
        return rows
    heart, credit = _heart(Path(data)), _credit(Path(data))
    for name, found in (
        ("heart", _losses(heart, "logistic", 1e-3, range(20))),
        ("credit", _losses(credit, "trees", 1e-5, range(2))),
    ):
        mean, spread = float(np.mean(found)), float(np.std(found))
        rows.append(
            Row(f"privacy.epsilon3_loss_{name}", mean, "AUC", "deviation over splits", spread)
        )
    return rows + _attacks(heart[0])


def _losses(data: Data, name: str, delta: float, seeds: Sequence[int]) -> list[float]:
    """Of AUC, split by split."""
    rows, silo = data
    found = []
    for seed in seeds:
        part = np.random.default_rng(seed).random(len(rows))
        test, root = _where(rows, part < 0.3), _where(rows, (part >= 0.3) & (part < 0.37))
        silos = [_where(rows, (part >= 0.37) & (silo == which)) for which in np.unique(silo)]
        pool = _where(rows, part >= 0.37)
        plain = _learner(pool, name, max(map(len, silos)))
        aucs = [
            roc_auc_score(test.labels, _scores(learner, silos, test))
            for learner in (plain, _private(silos, root, name, {}, delta))
        ]
        found.append(float(aucs[0] - aucs[1]))
    return found


def _private(
    silos: Sequence[Rows], root: Rows, name: str, settings: dict[str, int | float], delta: float
) -> Learner:
    budget = Budget(EPSILON, delta, rows_min=min(map(len, silos)))
    names = [f"f{i}" for i in range(root.features.shape[1])]
    return private_learner(budget, name, settings, names, root, max(map(len, silos)))


def _scores(learner: Learner, silos: Sequence[Rows], test: Rows) -> F64:
    return learner.scores(simulate(learner, silos, rule_named("mean", 0)), test.features)


def _attacks(rows: Rows) -> list[Row]:
    """Networks on halves of the rows, 4 silos each, with and without the promise."""
    chance = bound(EPSILON, ATTACKED_DELTA)
    found = []
    for private, suffix in ((False, "plain"), (True, "epsilon3")):
        leak = _attacked(rows, private=private)
        found += [
            Row(f"privacy.mia_auc_{suffix}", leak.auc, "AUC"),
            Row(f"privacy.mia_found_{suffix}", leak.found, "share", "bound at epsilon 3", chance),
        ]
    return found


def _attacked(rows: Rows, *, private: bool) -> Leak:
    rng = np.random.default_rng(0)
    root = _where(rows, rng.random(len(rows)) < 0.1)
    inside = rng.random((MODELS, len(rows))) < 0.5
    told = []
    for chosen in inside:
        silos = [
            Rows(part.features, part.labels)
            for place in np.array_split(np.flatnonzero(chosen), 4)
            for part in [_where(rows, np.isin(np.arange(len(rows)), place))]
        ]
        most = max(map(len, silos))
        names = [f"f{i}" for i in range(rows.features.shape[1])]
        learner: Learner = (
            _private(silos, root, "network", {"hidden": 32}, ATTACKED_DELTA)
            if private
            else learner_of("network", LEAKY, public_scale(names, root, most))
        )
        told.append(np.where(rows.labels == 1, 1, -1) * _scores(learner, silos, rows))
    return membership(np.stack(told), inside)


def _matching() -> Row:
    """Two parties of 100,000 identifiers each, one after the other on this machine."""
    name = sha256(b"benchmark").digest()
    half = IDENTIFIERS // 2
    ours, theirs = (
        Matching.of(name, [b"%d" % i for i in range(start, start + IDENTIFIERS)])
        for start in (0, half)
    )
    began = perf_counter()
    offers = ours.offer(), theirs.offer()
    answers = ours.answer(offers[1]), theirs.answer(offers[0])
    common = ours.matched(offers[0], answers[1], answers[0])
    spent = perf_counter() - began
    assert len(common) == half
    size = len(offers[0]) + len(answers[0])
    return Row("privacy.match_100k_s", spent, "s", "MB that each sends", size / 1e6)
