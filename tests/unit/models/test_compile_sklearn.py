"""What of scikit-learn compiles on known data, and what is refused with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import veridict
from veridict.core.errors import BadInput, UnsupportedModel
from veridict.core.nouns import SCORE_ONE
from veridict.models.compile import Link, agreement, compile_model
from veridict.models.image import image

CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
IRIS, SPECIES = load_iris(return_X_y=True)
ONE: Any = {"random_state": 1}
FEW: Any = {"n_estimators": 8, **ONE}


@pytest.mark.parametrize(
    ("model", "link"),
    [
        (DecisionTreeClassifier(**ONE), Link.IDENTITY),
        (RandomForestClassifier(**FEW), Link.IDENTITY),
        (ExtraTreesClassifier(**FEW), Link.IDENTITY),
        (GradientBoostingClassifier(**FEW), Link.LOGIT),
        (GradientBoostingClassifier(loss="exponential", **FEW), Link.LOGIT),
        (HistGradientBoostingClassifier(max_iter=8), Link.LOGIT),
        (IsolationForest(**FEW), Link.ANOMALY),
        (RandomForestRegressor(**FEW), Link.IDENTITY),
        (GradientBoostingRegressor(init="zero", **FEW), Link.IDENTITY),
        (GradientBoostingRegressor(loss="quantile", **FEW), Link.IDENTITY),
        (HistGradientBoostingRegressor(max_iter=8), Link.IDENTITY),
        (HistGradientBoostingRegressor(max_iter=8, loss="poisson"), Link.LOG),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, Link) else value.value,
)
def test_two_classes_and_numbers(model: Any, link: Link) -> None:
    compiled = compile_model(model.fit(CANCER, MALIGNANT))
    report = agreement(compiled, model, CANCER)
    assert report.rows == len(CANCER)
    assert report.holds, report
    assert compiled.link is link
    assert compiled.model.n_outputs == 1


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(**ONE),
        RandomForestClassifier(**FEW),
        ExtraTreesClassifier(**FEW),
        GradientBoostingClassifier(**FEW),
        HistGradientBoostingClassifier(max_iter=8),
    ],
    ids=lambda model: type(model).__name__,
)
def test_three_classes(model: Any) -> None:
    compiled = compile_model(model.fit(IRIS, SPECIES))
    report = agreement(compiled, model, IRIS)
    assert report.holds, report
    assert compiled.model.n_outputs == 3
    told = compiled.model.score(image(IRIS))  # the number of the winning class
    assert (told == model.predict(IRIS)).all()


def test_an_isolation_forests_score_gives_scikit_learns_number() -> None:
    model = IsolationForest(**FEW).fit(IRIS)
    score = compile_model(model).model.score(image(IRIS)) / SCORE_ONE
    assert np.abs(-(2**score) - model.score_samples(IRIS)).max() < 1e-8


def test_an_isolation_forests_card_takes_anomaly_scores() -> None:
    compiled = compile_model(IsolationForest(**FEW).fit(IRIS))
    ends: Any = {"X": IRIS, "y": SPECIES == 0}
    card = veridict.card(compiled, title="odd flowers", review_at=0.5, hold_at=1.0, **ends)
    assert (int(card.review_at), int(card.hold_at)) == (-SCORE_ONE, 0)
    with pytest.raises(BadInput, match="no anomaly score"):
        veridict.card(compiled, title="odd flowers", review_at=0.0, hold_at=1.0, **ends)


@pytest.mark.parametrize(
    ("model", "target", "reason"),
    [
        (RandomForestClassifier(**FEW), np.ones(150), "one class only"),
        (RandomForestRegressor(**FEW), IRIS[:, :2], "several targets"),
        (GradientBoostingRegressor(init=DecisionTreeRegressor(), **FEW), SPECIES, "starts from"),
        (IsolationForest(max_samples=1, **FEW), None, "one sample a tree"),
        (RandomForestClassifier(), None, "not trained"),
        (IsolationForest(), None, "not trained"),
        (HistGradientBoostingClassifier(), None, "not trained"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_exact_form_is_refused(model: Any, target: Any, reason: str) -> None:
    if reason != "not trained":
        model.fit(IRIS, target)
    with pytest.raises(UnsupportedModel, match=reason) as caught:
        compile_model(model)
    assert caught.value.remedy


def test_subclasses_are_refused() -> None:
    class Other(DecisionTreeClassifier):  # type: ignore[misc]
        pass

    with pytest.raises(UnsupportedModel, match="no compiler for"):
        compile_model(Other().fit(IRIS, SPECIES))


def test_thresholds_that_are_no_numbers_are_refused() -> None:
    model = DecisionTreeClassifier().fit(IRIS, SPECIES)
    model.tree_.threshold[0] = np.nan
    with pytest.raises(UnsupportedModel, match="threshold is NaN"):
        compile_model(model)
