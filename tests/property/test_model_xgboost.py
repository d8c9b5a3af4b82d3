"""Routing is XGBoost's own: the leaves it names, for every float64 it takes, after its cast."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.floats import SPECIAL, crowded
from tests.support.missing import missing
from veridict.core.nouns import SCORE_ONE, Policy
from veridict.models.compile import agreement, compile_model
from veridict.models.compile.outcome import to_fixed
from veridict.models.compile.xgboost import float32_of
from veridict.models.image import image

try:
    import xgboost
except ImportError:
    missing("xgboost", "install the dev dependencies")

FEATURES = 4
FINITE32 = 3.4028235e38  # beyond it XGBoost refuses the row


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(600, FEATURES)).round(1)
    rows[:, 3] = rng.integers(0, 70, 600)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    wild = np.sin(np.nan_to_num(rows[:, 3]) * 5) * 2
    return rows, np.nan_to_num(rows[:, :3]).sum(axis=1) + wild + rng.normal(size=600)


def train(parameters: dict[str, object], target: np.ndarray) -> Any:
    kinds = ["q", "q", "q", "c"]
    matrix = xgboost.DMatrix(data()[0], target, feature_types=kinds, enable_categorical=True)
    quiet = {"nthread": 1, "max_depth": 4, "max_cat_to_onehot": 2, "seed": 1}
    return xgboost.train({**quiet, **parameters}, matrix, 8)


@cache
def trained() -> str:
    target = (data()[1] > 0).astype(int)
    return str(train({"objective": "binary:logistic"}, target).save_raw("json").decode())


def altered(seed: int) -> Any:
    """The trained model with thresholds, directions and categories that no training would find."""
    rng = random.Random(seed)
    document = json.loads(trained())
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        for node, child in enumerate(tree["left_children"]):
            if child >= 0 and tree["split_type"][node] == 0:
                value = rng.choice([rng.choice(SPECIAL), rng.gauss(0, 1), rng.gauss(0, 1e-44)])
                tree["split_conditions"][node] = max(-FINITE32, min(FINITE32, value))
                tree["default_left"][node] = rng.randrange(2)
        tree["categories"] = (
            sorted({c for c in tree["categories"] if rng.random() < 0.8} | {0, 69})[
                : len(tree["categories"])
            ]
            or tree["categories"]
        )
        tree["categories"] += [69] * (sum(tree["categories_sizes"]) - len(tree["categories"]))
    return document


def loaded(document: Any) -> Any:
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


def rows_on_edges(document: Any, seed: int, count: int) -> np.ndarray:
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    pool = [float(np.float32(v)) for tree in trees for v in tree["split_conditions"]]
    pool += [*SPECIAL, -0.5, *range(-2, 3), *range(30, 34), 63, 64, 69, 70, 2.0**24, 2.0**31]
    values = crowded(pool)
    values = values[~(np.abs(values) > FINITE32)]
    return np.random.default_rng(seed).choice(values, size=(count, FEATURES))


def leaf_sums(booster: Any, rows: np.ndarray) -> list[int]:
    """Fixed-point sums of the leaves that XGBoost says each row reaches."""
    document = json.loads(booster.save_raw("json"), parse_float=float32_of)
    learner = document["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    base = float32_of(learner["learner_model_param"]["base_score"].strip("[]"))
    odds = np.float32(1) / np.float32(base) - np.float32(1)
    start = to_fixed(float(np.float32(-math.log(float(odds)))), "base")
    matrix = xgboost.DMatrix(rows, feature_types=["q", "q", "q", "c"], enable_categorical=True)
    reached = booster.predict(matrix, pred_leaf=True).astype(int)
    return [
        start
        + sum(
            to_fixed(float(tree["split_conditions"][leaf]), "leaf")
            for tree, leaf in zip(trees, row, strict=True)
        )
        for row in reached
    ]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_every_float_reaches_xgboosts_leaf(seed: int) -> None:
    document = altered(seed)
    booster = loaded(document)
    rows = rows_on_edges(document, seed, 80)
    assert compile_model(booster).model.score(image(rows)).tolist() == leaf_sums(booster, rows)


OBJECTIVES: list[dict[str, object]] = [
    {"objective": "binary:logistic"},
    {"objective": "binary:logitraw"},
    {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.5},
    {"objective": "binary:logistic", "base_score": 0.1},
    {"objective": "multi:softprob", "num_class": 3},
    {"objective": "multi:softmax", "num_class": 3, "num_parallel_tree": 2},
    {"objective": "reg:squarederror"},
    {"objective": "reg:absoluteerror"},
    {"objective": "reg:pseudohubererror"},
    {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
    {"objective": "count:poisson"},
    {"objective": "reg:gamma"},
    {"objective": "reg:tweedie"},
]


@pytest.mark.parametrize("parameters", OBJECTIVES, ids=lambda p: "-".join(map(str, p.values())))
def test_trained_models_agree_within_the_bound(parameters: dict[str, object]) -> None:
    rows, target = data()
    if str(parameters["objective"]).startswith(("binary", "multi")):
        target = np.clip(np.floor(target) + 1, 0, int(str(parameters.get("num_class", 2))) - 1)
    elif not str(parameters["objective"]).startswith("reg:sq"):
        target = np.exp(target / 3)
    booster = train(parameters, target)
    report = agreement(compile_model(booster), booster, rows, policy=Policy(0, SCORE_ONE))
    assert report.rows == 600
    assert report.holds, report


@pytest.mark.parametrize("stand_in", [0.0, -999.0, 0.1, math.inf])
def test_what_stands_for_missing_goes_the_default_way(stand_in: float) -> None:
    rows, target = data()
    filled = np.nan_to_num(rows, nan=stand_in if math.isfinite(stand_in) else 0.0)
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=3, missing=stand_in, n_jobs=1)
    model.fit(filled, target > 0)
    pool = [stand_in, float(np.float32(stand_in))] if math.isfinite(stand_in) else []
    values = crowded([*pool, *(v for v in SPECIAL if abs(v) < FINITE32), *filled[:20].ravel()])
    edges = np.random.default_rng(1).choice(values, size=(400, FEATURES))
    report = agreement(compile_model(model), model, edges)
    assert report.holds, report


@given(st.decimals(-(10**6), 10**6, places=9) | st.floats(width=32, allow_nan=False).map(repr))
def test_decimals_become_the_nearest_float32(text: object) -> None:
    found = float32_of(str(text))
    if math.isinf(found):
        return
    error = abs(Fraction(str(text)) - Fraction(found))
    for other in (np.nextafter(np.float32(found), np.float32(way)) for way in (-np.inf, np.inf)):
        if math.isfinite(other):
            assert error <= abs(Fraction(str(text)) - Fraction(float(other)))


def test_a_decimal_just_off_the_middle_is_not_rounded_twice() -> None:
    middle = (1 + 2**-24).as_integer_ratio()
    exact = Fraction(*middle)
    text = f"{exact.numerator * 10**60 // exact.denominator + 1}e-60"
    assert float(text) == float(exact)  # float64 cannot tell it from the middle
    assert float32_of(text) == 1 + 2**-23
