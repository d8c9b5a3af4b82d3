"""Quantised models that were shown rows: a tighter bound, which holds for every row that stays in.

Weights are replaced by ones that no training finds, and rows by ones that were not shown.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from veridict.core.errors import BadInput, UnsupportedModel
from veridict.models.compile import agreement, compile_model

WIDTHS = [(), (5,), (8, 4), (3, 6, 2)]


@cache
def fitted(hidden: tuple[int, ...]) -> Any:
    rows = np.random.default_rng(1).normal(size=(40, 3))
    last = Ridge() if not hidden else MLPRegressor(hidden_layer_sizes=hidden, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(StandardScaler(), last).fit(rows, rows @ [1.0, -2.0, 0.5])


def altered(hidden: tuple[int, ...], rng: np.random.Generator) -> Any:
    model = fitted(hidden)
    last = model[-1]
    scale = 10.0 ** rng.integers(-2, 2)
    if hidden:
        last.coefs_ = [rng.normal(size=w.shape) * scale for w in last.coefs_]
        last.intercepts_ = [rng.normal(size=b.shape) * scale for b in last.intercepts_]
    else:
        last.coef_, last.intercept_ = rng.normal(size=3) * scale, rng.normal() * scale
    return model


@given(hidden=st.sampled_from(WIDTHS), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_the_bound_holds_for_rows_that_stay_within(hidden: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = altered(hidden, rng)
    shown = rng.normal(rng.normal(size=3), 10.0 ** rng.integers(-1, 2, 3), size=(30, 3))
    compiled = compile_model(model, rows=shown)
    own = agreement(compiled, model, shown)
    assert own.holds, own
    assert own.rows_beyond == 0
    low, high = np.array(compiled.ranges).T
    assert ((low <= shown) & (shown <= high)).all()
    others = np.vstack([rng.uniform(low, high, size=(300, 3)), [low, high], shown * 3])
    report = agreement(compiled, model, others)
    assert report.holds, report
    assert report.bound == own.bound


@given(hidden=st.sampled_from(WIDTHS), seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_rows_make_the_bound_tighter(hidden: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = altered(hidden, rng)
    rows = np.random.default_rng(1).normal(size=(40, 3))  # as the scaler saw them
    fine = 2**16  # units of 2^-32: weights so small that these are what limits the bound
    blind, seen = compile_model(model), compile_model(model, rows=rows)
    assert seen.error_bound < max(blind.error_bound, fine)


@pytest.mark.parametrize(
    ("load", "model", "bound", "gain"),
    [
        (load_breast_cancer, LogisticRegression(), 1e-6, 20),
        (load_breast_cancer, MLPClassifier((32,), max_iter=60, random_state=1), 0.1, 4),
        (load_digits, MLPClassifier((32, 16), max_iter=30, random_state=1), 0.3, 10),
        (load_iris, MLPClassifier((8,), max_iter=200, random_state=1), 0.02, 4),
    ],
    ids=["linear", "one hidden layer", "two hidden layers", "three classes"],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_real_rows(load: Any, model: Any, bound: float, gain: float) -> None:
    rows, labels = load(return_X_y=True)
    source = make_pipeline(MinMaxScaler(), model).fit(rows[::2], labels[::2])
    compiled = compile_model(source, rows=rows[::2])
    assert compile_model(source).error_bound > gain * compiled.error_bound
    report = agreement(compiled, source, rows)  # half of which were not shown
    assert report.max_difference <= report.bound < bound
    assert report.rows_beyond < len(rows) / 20
    assert report.max_difference < report.bound / 3


def test_a_network_without_a_scaler_compiles_with_rows() -> None:
    rows, labels = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((8,), max_iter=50, random_state=1).fit(rows, labels)
    with pytest.raises(UnsupportedModel, match="range of its inputs"):
        compile_model(model)
    assert agreement(compile_model(model, rows=rows), model, rows).holds
    with pytest.raises(BadInput, match=r"\[n, 4\]"):
        compile_model(model, rows=rows[:, :3])


def test_rows_beyond_are_counted_apart() -> None:
    rows, labels = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
    compiled = compile_model(model, rows=rows)
    far = np.vstack([rows, rows[:5] * 100])
    report = agreement(compiled, model, far)
    assert (report.rows, report.rows_beyond) == (len(far), 5)
    assert report.max_difference <= report.bound < report.max_difference_beyond
    assert not agreement(compiled, model, far[-5:]).holds  # of nothing that the bound speaks of
