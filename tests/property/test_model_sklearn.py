"""Routing is scikit-learn's own for every float64 its trees take, after their cast.

Thresholds and directions are replaced by ones that no training finds, and leaves by numbers far
apart: a row that reached another leaf would be off by far more than the bound.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

from tests.support.floats import SPECIAL, crowded
from veridict.models.compile import agreement, compile_model

FEATURES = 4
FINITE32 = 3.4028235e38  # beyond it scikit-learn refuses the row


@cache
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(300, FEATURES)).round(1)
    return rows, rows.sum(axis=1) + rng.normal(size=300)


SMALL = {"random_state": 1, "max_leaf_nodes": 9}
ENSEMBLES: dict[str, tuple[Any, bool]] = {  # the estimator, and whether it takes missing values
    "tree": (DecisionTreeRegressor(**SMALL), True),
    "tree of classes": (DecisionTreeClassifier(**SMALL), True),
    "extra tree": (ExtraTreeRegressor(**SMALL), True),
    "forest": (RandomForestClassifier(3, **SMALL), True),
    "extra trees": (ExtraTreesRegressor(3, **SMALL), True),
    "boosting": (GradientBoostingRegressor(n_estimators=3, **SMALL), False),
    "boosted classes": (GradientBoostingClassifier(n_estimators=3, **SMALL), False),
    "isolation": (
        IsolationForest(n_estimators=4, max_samples=32, max_features=3, random_state=1),
        True,
    ),
}


@cache
def fitted(name: str) -> Any:
    rows, target = data()
    model = ENSEMBLES[name][0]
    classes = np.clip(np.floor(target / 2) + 1, 0, 2) if "class" in name else target > 0
    return model.fit(rows, classes if "class" in name or name == "forest" else target)


def trees_of(model: Any) -> list[Any]:
    return list(np.ravel(getattr(model, "estimators_", [model])))


def alter(model: Any, seed: int) -> None:
    rng = random.Random(seed)
    for estimator in trees_of(model):
        tree = estimator.tree_
        for at in range(tree.node_count):
            tree.threshold[at] = rng.choice([rng.choice(SPECIAL), rng.gauss(0, 1)])
            if not np.isfinite(tree.threshold[at]):
                tree.threshold[at] = 0.0
            tree.missing_go_to_left[at] = rng.randrange(2)
            if not isinstance(model, IsolationForest):
                tree.value[at] = np.array([rng.randrange(-1000, 1000) / 8]) + np.arange(
                    tree.value.shape[2]
                )


def rows_on_edges(thresholds: list[float], seed: int, with_missing: bool) -> np.ndarray:
    values = crowded([*thresholds, *SPECIAL])
    values = values[~(np.abs(values) > FINITE32)]
    if not with_missing:
        values = values[~np.isnan(values)]
    return np.random.default_rng(seed).choice(values, size=(150, FEATURES))


@pytest.mark.parametrize("name", ENSEMBLES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_every_float_reaches_the_leaf_it_reaches_in_scikit_learn(name: str, seed: int) -> None:
    model = fitted(name)
    alter(model, seed)
    thresholds = [t for tree in trees_of(model) for t in tree.tree_.threshold.tolist()]
    rows = rows_on_edges(thresholds, seed, ENSEMBLES[name][1])
    with np.errstate(all="ignore"):  # scikit-learn sums the rows to see whether they are finite
        report = agreement(compile_model(model), model, rows)
    assert report.bound < 1e-4
    assert report.holds, report


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_histogram_trees_route_alike(seed: int) -> None:
    rng = random.Random(seed)
    model = histogram()
    thresholds, known = [], [value for value in SPECIAL if not np.isnan(value)]
    for stage in model._predictors:
        for nodes in (predictor.nodes for predictor in stage):
            for at in range(len(nodes)):
                nodes["num_threshold"][at] = rng.choice([*known, rng.gauss(0, 1)])
                nodes["missing_go_to_left"][at] = rng.randrange(2)
                nodes["value"][at] = rng.randrange(-1000, 1000) / 8
            thresholds += nodes["num_threshold"].tolist()
    rows = np.random.default_rng(seed).choice(
        crowded([*thresholds, *SPECIAL]), size=(150, FEATURES)
    )
    with np.errstate(all="ignore"):
        report = agreement(compile_model(model), model, rows)
    assert report.holds, report


@cache
def histogram() -> Any:
    rows, target = data()
    return HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=9).fit(rows, target)


@pytest.mark.parametrize("missing_share", [0.0, 0.2])
def test_categories_of_histogram_trees(missing_share: float) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(800, FEATURES))
    rows[:, 1] = rng.choice([0.0, 1.0, -3.0, 2.5, 7.0, 11.0, 40.0], 800)
    rows[:, 3] = rng.integers(0, 60, 800)
    labels = np.sin(rows[:, 3] * 9) + (rows[:, 1] % 2) + rows[:, 0] > 0.5
    rows[rng.random(rows.shape) < missing_share] = np.nan
    model = HistGradientBoostingClassifier(max_iter=8, categorical_features=[1, 3])
    model.fit(rows, labels)
    used = sum(int(stage[0].nodes["is_categorical"].sum()) for stage in model._predictors)
    assert used > 8
    values = crowded([-3.0, 2.5, *range(-1, 62), *SPECIAL])
    edges = rng.choice(values[~np.isinf(values)], size=(1500, FEATURES))
    with np.errstate(all="ignore"):
        report = agreement(compile_model(model), model, np.vstack([rows, edges]))
    assert report.holds, report
