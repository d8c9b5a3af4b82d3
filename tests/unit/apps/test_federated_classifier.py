"""A federation behind scikit-learn's habits."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import veridict
from veridict.core.errors import VeridictError

FederatedClassifier = veridict.FederatedClassifier


@parametrize_with_checks([FederatedClassifier(rule="mean", settings={"rounds": 8}, random_state=0)])  # type: ignore[untyped-decorator]
def test_it_keeps_scikit_learn_s_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(600, 3)), columns=["age", "dose", "score"])
    frame.loc[::17, "dose"] = np.nan
    label = np.where(frame["age"] - 0.7 * frame["score"] + rng.normal(size=600) > 0, "ill", "well")
    return frame, label, np.array(["north", "south", "east"])[rng.integers(0, 3, 600)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"learner": "trees", "settings": {"trees": 8, "depth": 2}},
        {"learner": "network", "settings": {"rounds": 20, "hidden": 4}, "rule": "median"},
        {"epsilon": 3.0},
        {"epsilon": 3.0, "noise": "shared"},
    ],
)
def test_silos_learn_from_a_data_frame(
    settings: dict[str, Any], table: tuple[pd.DataFrame, np.ndarray, np.ndarray]
) -> None:
    frame, label, region = table
    it = clone(FederatedClassifier(random_state=1, **settings)).fit(frame, label, groups=region)
    assert it.n_silos_ == 3
    assert it.score(frame, label) > 0.68
    assert list(it.classes_) == ["ill", "well"]
    assert it.predict_proba(frame).sum(axis=1) == pytest.approx(1.0)
    assert (it.epsilon_ or 0.0) <= 3.0
    assert (it.epsilon_ is None) == ("epsilon" not in settings)
    again = pickle.loads(pickle.dumps(it))
    assert (again.predict(frame) == it.predict(frame)).all()
    assert it.canonical_.n_features == 3


def test_what_cannot_be_is_refused(
    table: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    frame, label, region = table
    with pytest.raises(ValueError, match="2 groups for 600 rows"):
        FederatedClassifier().fit(frame, label, groups=["a", "b"])
    for wrong in (
        FederatedClassifier(learner="forest"),
        FederatedClassifier(rule="sum"),
        FederatedClassifier(contract="0x" + "11" * 20),
        FederatedClassifier(epsilon=-1.0),
    ):
        with pytest.raises(VeridictError):
            wrong.fit(frame, label, groups=region)
