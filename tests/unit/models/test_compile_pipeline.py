"""Linear models, networks and Pipelines: within the stated bound, or refused with the reason."""

from __future__ import annotations

from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from tests.support.floats import crowded
from veridict.core.errors import UnsupportedModel
from veridict.models.compile import Link, agreement, compile_model
from veridict.models.image import float_of, image

CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
IRIS, SPECIES = load_iris(return_X_y=True)
DIABETES, PROGRESS = load_diabetes(return_X_y=True, scaled=False)
SCALERS = [StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler]
FEW = CANCER[:, :5]


def named(value: Any) -> str:
    return getattr(value, "__name__", type(value).__name__)


@pytest.mark.parametrize("scaler", [None, *SCALERS], ids=named)
@pytest.mark.parametrize(
    ("model", "rows", "target", "link"),
    [
        (LogisticRegression(solver="newton-cholesky"), CANCER, MALIGNANT, Link.LOGIT),
        (LogisticRegression(solver="newton-cholesky"), IRIS, SPECIES, Link.SOFTMAX),
        (LinearRegression(), DIABETES, PROGRESS, Link.IDENTITY),
        (Ridge(), DIABETES, PROGRESS, Link.IDENTITY),
    ],
    ids=named,
)
def test_linear_models_keep_their_bound(
    scaler: Any, model: Any, rows: Any, target: Any, link: Link
) -> None:
    source = make_pipeline(scaler(), model) if scaler else model
    compiled = compile_model(source.fit(rows, target))
    report = agreement(compiled, source, rows)
    assert report.holds, report
    assert report.bound < 1e-3
    assert compiled.link is link
    low, high = np.array(compiled.ranges).T
    assert ((rows >= low) & (rows <= high)).all()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_bound_of_a_linear_model_holds_all_over_its_ranges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(rng.normal(size=4) * 100, 10.0 ** rng.integers(-6, 6, 4), size=(60, 4))
    target = rng.normal(size=60) * 10.0 ** rng.integers(-3, 4)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, target)
    compiled = compile_model(model)
    low, high = np.array(compiled.ranges).T
    report = agreement(compiled, model, rng.uniform(low, high, size=(200, 4)))
    assert report.holds, report


NETWORKS = pytest.mark.parametrize(
    ("model", "rows", "target"),
    [
        (MLPClassifier((16, 8), max_iter=40, random_state=1), CANCER, MALIGNANT),
        (MLPClassifier((8,), max_iter=40, random_state=1), IRIS, SPECIES),
        (MLPRegressor(hidden_layer_sizes=(8,), max_iter=40, random_state=1), DIABETES, PROGRESS),
    ],
    ids=named,
)


@pytest.mark.parametrize("scaler", SCALERS, ids=named)
@NETWORKS
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_networks_keep_their_bound(scaler: Any, model: Any, rows: Any, target: Any) -> None:
    source = make_pipeline(scaler(), model).fit(rows, target)
    compiled = compile_model(source)
    low, high = np.array(compiled.ranges).T
    inside = rows[((rows >= low) & (rows <= high)).all(axis=1)]
    assert len(inside) > len(rows) / 2
    assert agreement(compiled, source, inside).holds
    edges = np.random.default_rng(1).uniform(low, high, size=(300, rows.shape[1]))
    report = agreement(compiled, source, edges)
    assert report.holds, report


def tree_models() -> list[Any]:
    return [
        lightgbm.LGBMClassifier(n_estimators=4, verbose=-1, n_jobs=1),
        RandomForestClassifier(3, random_state=1),
        GradientBoostingClassifier(n_estimators=4, random_state=1),
        HistGradientBoostingClassifier(max_iter=4),
        IsolationForest(n_estimators=4, random_state=1),
    ]


@cache
def with_gaps() -> np.ndarray:
    rows: np.ndarray = FEW.copy()
    rows[np.random.default_rng(1).random(rows.shape) < 0.1] = np.nan
    return rows


@pytest.mark.parametrize("scaler", [*SCALERS, "clip"], ids=lambda s: getattr(s, "__name__", s))
@pytest.mark.parametrize("model", tree_models(), ids=named)
@pytest.mark.parametrize("fills", [False, True], ids=["", "filled"])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_scaling_before_trees_is_exact(scaler: Any, model: Any, fills: bool) -> None:
    step = MinMaxScaler((-1, 3), clip=True) if scaler == "clip" else scaler()
    steps = [SimpleImputer(strategy="median"), step, model] if fills else [step, model]
    source = make_pipeline(*steps).fit(with_gaps() if fills else FEW, MALIGNANT)
    compiled = compile_model(source)
    images = {node.threshold for tree in compiled.model.trees.trees for node in tree.nodes}
    lowest, highest = (int(image(np.array([end]))[0]) for end in (-np.inf, np.inf))
    cuts = [float_of(at) for at in sorted(images) if lowest < at < highest]
    values = crowded([*cuts, 0.0, 5e-324, 1e-40])
    values = values[np.abs(values) < 1e30]
    if fills:
        values = np.append(values, np.nan)
    rows = np.random.default_rng(2).choice(values, size=(500, FEW.shape[1]))
    report = agreement(compiled, source, rows)
    assert report.bound < 1e-8
    assert report.holds, report


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (make_pipeline(PCA(), LogisticRegression()), "cannot be folded through PCA"),
        (make_pipeline(StandardScaler(), PCA()), "its last step is"),
        (make_pipeline(MinMaxScaler(clip=True), LinearRegression()), "it clips"),
        (make_pipeline(StandardScaler(), SimpleImputer(), Ridge()), "behind a scaler"),
        (make_pipeline(SimpleImputer(missing_values=0), Ridge()), "more than NaN"),
        (make_pipeline(SimpleImputer(add_indicator=True), Ridge()), "more than NaN"),
        (MLPRegressor(max_iter=5), "range of its inputs is not known"),
        (make_pipeline(StandardScaler(), MLPRegressor(activation="tanh", max_iter=5)), "is tanh"),
        (
            make_pipeline(StandardScaler(), MLPRegressor(activation="identity", max_iter=5)),
            "activation is identity",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_what_has_no_canonical_form_is_refused(source: Any, reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason) as caught:
        compile_model(source.fit(FEW, MALIGNANT))
    assert caught.value.remedy


def test_several_targets_and_untrained_models_are_refused() -> None:
    two = np.column_stack([MALIGNANT, MALIGNANT])
    with pytest.raises(UnsupportedModel, match="several targets"):
        compile_model(LinearRegression().fit(FEW, two))
    for untrained in (Ridge(), MLPRegressor(), make_pipeline(StandardScaler(), Ridge())):
        with pytest.raises(UnsupportedModel, match="not trained"):
            compile_model(untrained)


def test_a_missing_value_of_a_linear_model_counts_as_its_filler() -> None:
    source = make_pipeline(SimpleImputer(), StandardScaler(), Ridge()).fit(FEW, MALIGNANT)
    report = agreement(compile_model(source), source, with_gaps())
    assert report.holds, report
