"""Models of several targets or labels are refused by name, with the reason and what to do.

Gradient boosting of scikit-learn has none: it does not train on several.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    Ridge,
    RidgeCV,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tests.support.missing import missing
from veridict.core.errors import UnsupportedModel
from veridict.models.compile import agreement, compile_file, compile_model

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

ROWS, SPECIES = load_iris(return_X_y=True)
TARGETS = ROWS[:, :2] * [1.0, -2.0] + 1
LABELS = np.stack([SPECIES > 0, SPECIES > 1], axis=1).astype(int)
FEW: Any = {"n_estimators": 3, "random_state": 1}
SHORT: Any = {"hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 1}
BOOSTED: Any = {"n_estimators": 2, "n_jobs": 1}
TARGET, LABEL = "it has several targets", "it has several labels a row"


@pytest.mark.parametrize(
    ("model", "targets", "reason"),
    [
        (LinearRegression(), TARGETS, TARGET),
        (Ridge(), TARGETS, TARGET),
        (RidgeCV(), TARGETS, TARGET),
        (make_pipeline(StandardScaler(), Ridge()), TARGETS, TARGET),
        (MultiTaskLasso(), TARGETS, "there is no compiler for sklearn"),
        (DecisionTreeRegressor(max_depth=3), TARGETS, TARGET),
        (DecisionTreeClassifier(max_depth=3), LABELS, TARGET),
        (ExtraTreeRegressor(max_depth=3), TARGETS, TARGET),
        (ExtraTreeClassifier(max_depth=3), LABELS, TARGET),
        (RandomForestRegressor(**FEW), TARGETS, TARGET),
        (RandomForestClassifier(**FEW), LABELS, TARGET),
        (ExtraTreesRegressor(**FEW), TARGETS, TARGET),
        (ExtraTreesClassifier(**FEW), LABELS, TARGET),
        (make_pipeline(StandardScaler(), ExtraTreesRegressor(**FEW)), TARGETS, TARGET),
        (MLPRegressor(**SHORT), TARGETS, TARGET),
        (MLPClassifier(**SHORT), LABELS, LABEL),
        (make_pipeline(StandardScaler(), MLPClassifier(**SHORT)), LABELS, LABEL),
        (MultiOutputRegressor(Ridge()), TARGETS, "there is no compiler for sklearn"),
        (MultiOutputClassifier(LogisticRegression()), LABELS, "there is no compiler for sklearn"),
        (ClassifierChain(LogisticRegression()), LABELS, "there is no compiler for sklearn"),
        (xgboost.XGBRegressor(**BOOSTED), TARGETS, TARGET),
        (xgboost.XGBClassifier(**BOOSTED), LABELS, TARGET),
        (xgboost.XGBRFRegressor(**BOOSTED), TARGETS, TARGET),
        (xgboost.XGBRegressor(multi_strategy="multi_output_tree", **BOOSTED), TARGETS, TARGET),
        (
            xgboost.XGBRegressor(
                objective="reg:quantileerror", quantile_alpha=np.array([0.1, 0.9]), **BOOSTED
            ),
            TARGETS[:, 0],
            TARGET,
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_several_targets_are_refused(model: Any, targets: Any, reason: str) -> None:
    model.fit(ROWS, targets)
    with pytest.raises(UnsupportedModel) as refusal:
        compile_model(model, rows=ROWS)
    last = model[-1] if hasattr(model, "steps") else model
    name = "XGBoost model" if isinstance(model, xgboost.XGBModel) else type(last).__name__
    assert reason in str(refusal.value)
    assert name in str(refusal.value)
    assert refusal.value.remedy


def test_several_targets_in_files_are_refused(tmp_path: Path) -> None:
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        model = xgboost.XGBRegressor(multi_strategy=strategy, **BOOSTED).fit(ROWS, TARGETS)
        for ending in ("json", "ubj"):
            model.save_model(path := tmp_path / f"model.{ending}")
            with pytest.raises(UnsupportedModel, match=TARGET):
                compile_file(path)


def test_several_targets_of_lightgbm_are_refused() -> None:
    """It has them only by an objective of the user's own, with as many numbers a row as classes."""

    def squared(scores: Any, data: Any) -> Any:
        return scores - TARGETS, np.ones_like(scores)

    parameters = {"objective": squared, "num_class": 2, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(ROWS, SPECIES), 2)
    assert booster.num_model_per_iteration() == 2
    with pytest.raises(UnsupportedModel, match="LightGBM model cannot be compiled") as refusal:
        compile_model(booster)
    assert "objective" in str(refusal.value)


@pytest.mark.parametrize(
    ("model", "targets", "reason"),
    [
        (LinearRegression(), TARGETS, TARGET),
        (make_pipeline(StandardScaler(), Ridge()), TARGETS, TARGET),
        (DecisionTreeRegressor(max_depth=3), TARGETS, TARGET),
        (RandomForestRegressor(**FEW), TARGETS, TARGET),
        (ExtraTreesRegressor(**FEW), TARGETS, TARGET),
        (make_pipeline(StandardScaler(), MLPRegressor(**SHORT)), TARGETS, "2 outputs without"),
        (make_pipeline(StandardScaler(), MLPClassifier(**SHORT)), LABELS, "2 outputs without"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_several_targets_in_onnx_are_refused(model: Any, targets: Any, reason: str) -> None:
    try:
        from skl2onnx import to_onnx
    except ImportError:
        missing("onnx", "install the dev dependencies")
    document = to_onnx(model.fit(ROWS, targets), ROWS[:1].astype(np.float32))
    with pytest.raises(UnsupportedModel, match="ONNX model cannot be compiled") as refusal:
        compile_model(document, rows=ROWS)
    assert reason in str(refusal.value)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "make",
    [LinearRegression, Ridge, lambda: DecisionTreeRegressor(max_depth=3)],
    ids=["LinearRegression", "Ridge", "DecisionTreeRegressor"],
)
def test_one_target_in_a_column_is_one(make: Callable[[], Any]) -> None:
    model = make().fit(ROWS, TARGETS[:, :1])
    compiled = compile_model(model, rows=ROWS)
    assert compiled.model.n_outputs == 1
    assert agreement(compiled, model, ROWS).holds
