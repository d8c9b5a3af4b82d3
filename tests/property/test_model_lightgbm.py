"""Routing is LightGBM's own: the leaves it names, for every float64 there is."""

from __future__ import annotations

import math
import random
from functools import cache

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import SPECIAL
from veridict.core.nouns import SCORE_ONE, Policy
from veridict.models.compile import agreement, compile_model
from veridict.models.compile.outcome import to_fixed
from veridict.models.image import image

FEATURES = 4


@cache
def trained() -> str:
    """Text of a small model on data with missing values, zeros, ties and two categories."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(600, FEATURES)).round(1)
    rows[:, 2] = rng.integers(0, 80, 600)
    rows[:, 3] = rng.choice([0, 1, 2, 31, 32, 63, 64, 200], 600)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    wild = np.sin(np.nan_to_num(rows[:, 2:]) * 5).sum(axis=1) * 2
    target = (np.nan_to_num(rows[:, :2]).sum(axis=1) + wild + rng.normal(size=600) > 0).astype(int)
    params = {"objective": "binary", "num_leaves": 9, "verbose": -1, "num_threads": 1, "seed": 1}
    params |= {"min_data_per_group": 5, "cat_smooth": 1, "cat_l2": 1, "max_cat_to_onehot": 2}
    data = lightgbm.Dataset(rows, target, categorical_feature=[2, 3])
    return str(lightgbm.train(params, data, num_boost_round=8).model_to_string())


def altered(seed: int) -> str:
    """The trained text with thresholds and missing rules that no training would find."""
    rng = random.Random(seed)
    lines: list[str] = []
    for line in trained().splitlines():
        key, _, value = line.partition("=")
        count = len(value.split())
        if key == "threshold":
            finite = [v for v in SPECIAL if math.isfinite(v)] + [float(np.float32(1e-35))]
            values = [
                rng.choice([rng.choice(finite), rng.gauss(0, 1), rng.gauss(0, 1e-35)])
                for _ in range(count)
            ]
            thresholds = value.split()  # of a categorical split: the number of its set
            line = "threshold="
        elif key == "decision_type":
            # bit 0: categorical; bit 1: default left; bits 2 and 3: missing type None, Zero, NaN
            decisions = [
                word if int(word) & 1 else str(rng.choice((0, 2)) | rng.choice((0, 4, 8)))
                for word in value.split()
            ]
            line = "decision_type=" + " ".join(decisions)
            lines[lines.index("threshold=")] = "threshold=" + " ".join(
                old if int(decision) & 1 else repr(new)
                for old, new, decision in zip(thresholds, values, decisions, strict=True)
            )
        elif key == "cat_threshold":
            words = [rng.choice((0, 2**32 - 1, rng.getrandbits(32))) for _ in range(count)]
            line = "cat_threshold=" + " ".join(map(str, words))
        elif key == "tree_sizes":
            continue  # lengths in bytes of the trees' text, which have changed
        lines.append(line)
    return "\n".join(lines) + "\n"


def rows_on_edges(text: str, seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    zero = float(np.float32(1e-35))
    pool = [*SPECIAL, zero, -zero, -0.5, 2.5, 2.0**31 - 1, 2.0**31, 2.0**32, -(2.0**31)]
    pool += [float(category) for category in (*range(-2, 5), *range(30, 34), 63, 64, 96, 200, 224)]
    for line in text.splitlines():
        if line.startswith("threshold="):
            pool += [float(word) for word in line[10:].split()]
    pool += [math.nextafter(v, way) for v in pool for way in (math.inf, -math.inf)]
    return rng.choice(np.array(pool), size=(count, FEATURES))


def leaf_sums(booster: lightgbm.Booster, text: str, rows: np.ndarray) -> list[int]:
    """Fixed-point sums of the leaves that LightGBM says each row reaches."""
    values = [
        [to_fixed(float(word), "leaf") for word in line[11:].split()]
        for line in text.splitlines()
        if line.startswith("leaf_value=")
    ]
    reached = np.asarray(booster.predict(rows, pred_leaf=True, num_threads=1))
    return [
        sum(tree[leaf] for tree, leaf in zip(values, row, strict=True))
        for row in reached.astype(int).reshape(len(rows), -1)
    ]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_float_reaches_lightgbms_leaf(seed: int) -> None:
    text = altered(seed)
    booster = lightgbm.Booster(model_str=text)
    compiled = compile_model(booster)
    rows = rows_on_edges(text, seed, 60)
    assert compiled.model.score(image(rows)).tolist() == leaf_sums(booster, text, rows)


@pytest.mark.parametrize(
    "extra", [{}, {"zero_as_missing": True}, {"use_missing": False}, {"boosting": "dart"}]
)
@pytest.mark.parametrize(
    "objective", ["binary", "regression", "poisson", "multiclass", "multiclassova"]
)
def test_trained_models_agree_within_the_bound(extra: dict[str, object], objective: str) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(800, FEATURES))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows[rng.random(rows.shape) < 0.2] = 0.0
    target = np.nan_to_num(rows).sum(axis=1) + rng.normal(size=800)
    if objective in ("binary", "multiclass", "multiclassova"):
        classes = 2 if objective == "binary" else 3
        target = np.clip(np.floor(target / 2) + 1, 0, classes - 1)
        extra = extra if objective == "binary" else {**extra, "num_class": classes}
    else:
        target = np.exp(target / 3)
    params = {"objective": objective, "num_leaves": 15, "verbose": -1, "num_threads": 1, **extra}
    booster = lightgbm.train(params, lightgbm.Dataset(rows, target), num_boost_round=12)
    report = agreement(compile_model(booster), booster, rows, policy=Policy(0, SCORE_ONE))
    assert report.rows == 800
    assert report.holds, report


def test_expectations_are_means_of_the_training_rows() -> None:
    booster = lightgbm.Booster(model_str=trained())
    compiled = compile_model(booster)
    values = [
        (line, counts)
        for line, counts in zip(
            [x[11:] for x in trained().splitlines() if x.startswith("leaf_value=")],
            [x[11:] for x in trained().splitlines() if x.startswith("leaf_count=")],
            strict=True,
        )
    ]
    for (leaves, counts), expected in zip(values, compiled.annex.expectations, strict=True):
        weights = [int(word) for word in counts.split()]
        total = sum(
            weight * to_fixed(float(leaf), "leaf")
            for weight, leaf in zip(weights, leaves.split(), strict=True)
        )
        assert expected[0] == total // sum(weights)
