"""scikit-learn's trees and sums of trees → canonical trees.

DecisionTree, ExtraTree, RandomForest, ExtraTrees (Classifier and Regressor) and
GradientBoosting (likewise). All cast their inputs to float32, rounding to nearest, and send
`value <= threshold` left; a missing value goes where the node's missing_go_to_left says, in
gradient boosting always right. Rows that are infinite as float32 they refuse; the canonical
model compares them.

The raw score of a tree or forest is its own answer: for two classes the probability of the
second, for more the probability of each, else the mean of the leaves. Of gradient boosting it is
the decision function (twice that under exponential loss: the log-odds), or the prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.ensemble import (
    Ensemble,
    SourceTree,
    compile_ensemble,
    named,
    whole_weights,
)
from veridict.models.compile.outcome import Compiled, Link, to_fixed
from veridict.models.compile.splits import Split

_TREES = {"DecisionTree", "ExtraTree"}
_FORESTS = {"RandomForest", "ExtraTrees"}
_BOOSTING = "GradientBoosting"
_CONSTANT = {"prior", "most_frequent", "mean", "median", "quantile", "constant"}


def matches(model: object) -> bool:
    """Whether `model` is one of the estimators named above; subclasses may predict otherwise."""
    return type(model).__module__.startswith("sklearn.") and _family(model) in (
        _TREES | _FORESTS | {_BOOSTING}
    )


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile one of the estimators named above."""
    return compile_ensemble(ensemble_of(model, feature_names))


def ensemble_of(model: Any, feature_names: Sequence[str] | None) -> Ensemble:
    """The trees of `model`. Raises UnsupportedModel where it has no exact form."""
    if not hasattr(model, "n_features_in_"):
        raise refused(model, "it is not trained", "call fit first")
    if getattr(model, "n_outputs_", 1) > 1:
        raise refused(model, "it has several targets", "train one model a target")
    names = named(feature_names, getattr(model, "feature_names_in_", ()), model.n_features_in_)
    if _family(model) == _BOOSTING:
        return _boosted(model, names)
    estimators = [model] if _family(model) in _TREES else model.estimators_
    count = len(estimators)
    columns = _columns(model)
    trees = [
        tree_of(estimator, _share(column, count), output)
        for estimator in estimators
        for output, column in enumerate(columns)
    ]
    return Ensemble(
        source="sklearn_trees",
        feature_names=names,
        bases=(0,) * len(columns),
        trees=trees,
        link=Link.IDENTITY,
        rounded=count,
        to_float32=True,
    )


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own raw scores, [n] or [n, outputs], of float rows."""
    if _family(model) == _BOOSTING:
        if not hasattr(model, "decision_function"):
            return model.predict(rows)
        return _log_odds_scale(model) * model.decision_function(rows)
    if not hasattr(model, "predict_proba"):
        return model.predict(rows)
    probabilities = model.predict_proba(rows)
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def tree_of(
    estimator: Any,
    leaf: Callable[[Any], float],
    output: int = 0,
    *,
    features: Sequence[int] | None = None,
    missing_goes_right: bool = False,
) -> SourceTree:
    """One fitted tree, its leaves by `leaf(value of the node)`.

    `features`: the model's number of each of the tree's. `missing_goes_right`:
    whatever the nodes say.
    """
    own = estimator.tree_
    nodes = [at for at in range(own.node_count) if own.children_left[at] >= 0]
    ends = [at for at in range(own.node_count) if own.children_left[at] < 0]
    place = {at: number for number, at in enumerate(nodes)}
    place |= {at: ~number for number, at in enumerate(ends)}
    left, right = own.children_left.tolist(), own.children_right.tolist()
    asked, thresholds = own.feature.tolist(), own.threshold.tolist()
    missing_left = own.missing_go_to_left.tolist()
    splits = [
        Split(
            asked[at] if features is None else int(features[asked[at]]),
            (thresholds[at],),
            True,
            missing_goes_right or not missing_left[at],
            place[left[at]],
            place[right[at]],
        )
        for at in nodes
    ]
    leaves = [to_fixed(float(leaf(own.value[at, 0])), f"leaf {at}") for at in ends]
    return SourceTree(splits, leaves, whole_weights(own.weighted_n_node_samples[ends]), output)


def _share(column: int, count: int) -> Callable[[Any], float]:
    """What a leaf adds to the mean of `count` trees."""
    return lambda value: float(value[column]) / count


def refused(model: object, reason: str, remedy: str) -> UnsupportedModel:
    name = type(model).__name__
    return UnsupportedModel(f"this {name} cannot be compiled: {reason}", remedy=remedy)


def _family(model: object) -> str:
    return type(model).__name__.removesuffix("Classifier").removesuffix("Regressor")


def _columns(model: Any) -> list[int]:
    """Which of a leaf's numbers are outputs: of two classes the second, of more all."""
    if not hasattr(model, "classes_"):
        return [0]
    classes = len(model.classes_)
    if classes < 2:
        raise refused(model, "it knows one class only", "train on rows of both classes")
    return [1] if classes == 2 else list(range(classes))


def _boosted(model: Any, names: tuple[str, ...]) -> Ensemble:
    outputs = model.estimators_.shape[1]
    scale = _log_odds_scale(model)
    rate = scale * model.learning_rate
    if outputs > 1:
        link = Link.SOFTMAX
    else:
        link = Link.LOGIT if hasattr(model, "classes_") else Link.IDENTITY
    return Ensemble(
        source="sklearn_trees",
        feature_names=names,
        bases=tuple(to_fixed(scale * base, "its initial value") for base in _initial(model)),
        trees=[
            tree_of(tree, lambda value: rate * value[0], output, missing_goes_right=True)
            for stage in model.estimators_
            for output, tree in enumerate(stage)
        ],
        link=link,
        rounded=len(model.estimators_) + 1,
        to_float32=True,
    )


def _log_odds_scale(model: Any) -> float:
    """predict_proba is 1 / (1 + exp(-this · decision function))."""
    return 2.0 if getattr(model, "loss", "") == "exponential" else 1.0


def _initial(model: Any) -> list[float]:
    """What the trees are added to, as the model itself reckons it."""
    if model.init_ != "zero" and getattr(model.init_, "strategy", None) not in _CONSTANT:
        raise refused(
            model,
            f"it starts from another model ({type(model.init_).__name__})",
            "train without init, or with init='zero'",
        )
    row = np.zeros((1, model.n_features_in_))
    return [float(value) for value in model._raw_predict_init(row)[0]]
