"""Every kind of model on real rows (UCI credit; payments when slow tests run): all rows agree."""

from __future__ import annotations

from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.missing import missing
from veridict.core.nouns import Policy
from veridict.models.compile import agreement, compile_model
from veridict.models.image import image
from veridict.solutions.roster import scenario_of
from veridict.watch.training import train

try:
    import xgboost
except ImportError:
    missing("xgboost", "install the dev dependencies")

pytestmark = [
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
    pytest.mark.filterwarnings("ignore:categorical_feature keyword:UserWarning"),
]


@cache
def rows_of(scenario_name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of a scenario's validation rows."""
    scenario = scenario_of(scenario_name)
    data: Any = scenario.load()
    trained = train(scenario, data)
    labels = data.slice(trained.split.train, trained.split.test).labels
    return np.asarray(trained.validation_features), np.asarray(labels)


CATEGORICAL = {"categorical_feature", "categorical_features"}  # [] is for some columns
MODELS: list[Any] = [
    lightgbm.LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1),
    lightgbm.LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1, categorical_feature=[]),
    xgboost.XGBClassifier(n_estimators=20, n_jobs=1),
    xgboost.XGBClassifier(n_estimators=10, n_jobs=1, booster="dart", rate_drop=0.2),
    make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=5, random_state=1)),
    HistGradientBoostingClassifier(max_iter=10),
    HistGradientBoostingClassifier(max_iter=10, categorical_features=[]),
    RandomForestClassifier(n_estimators=3, random_state=1),
    ExtraTreesClassifier(n_estimators=3, random_state=1),
    DecisionTreeClassifier(random_state=1),
    IsolationForest(n_estimators=20, random_state=1),
    make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=1)),
    make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
]


def categories(rows: np.ndarray) -> list[int]:
    """One or two columns of few whole numbers, which may be told to be names of groups."""
    few = [
        column
        for column in range(rows.shape[1])
        if 2 <= len(found := np.unique(rows[:, column])) <= 200
        and (found == np.abs(found.round())).all()
    ]
    assert few
    return few[:2]


def check(model: Any, rows: np.ndarray, labels: np.ndarray) -> None:
    half, model = len(rows) // 2, clone(model)
    for name in CATEGORICAL & model.get_params().keys():
        if model.get_params()[name] == []:
            model.set_params(**{name: categories(rows)})
    model.fit(rows[:half], labels[:half])
    compiled = compile_model(model)
    scores = compiled.model.score(image(rows))
    review_at, hold_at = (int(np.quantile(scores, part)) for part in (0.9, 0.99))
    policy = Policy(review_at, max(hold_at, review_at + 1))
    report = agreement(compiled, model, rows, policy=policy)
    assert report.rows == len(rows) > 1000
    assert report.holds, report


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_credit(model: Any) -> None:
    check(model, *rows_of("credit"))


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_payments(model: Any) -> None:
    check(model, *rows_of("payments"))
