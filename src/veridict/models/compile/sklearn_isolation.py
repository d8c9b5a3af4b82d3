"""scikit-learn's IsolationForest → canonical trees.

    raw score = -(the sum over trees of the row's path length) / (trees · c(max_samples))
    score_samples(row) = -2^(raw score)

with c(n) the mean path length of n samples, as the paper (Liu 2008) and scikit-learn have it. The
raw score rises with the anomaly, lies at or below 0, and gives score_samples by that monotone
rule, so any threshold on one is a threshold on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from veridict.models.compile.ensemble import Ensemble, SourceTree, compile_ensemble, named
from veridict.models.compile.outcome import Compiled, Link, to_fixed
from veridict.models.compile.sklearn_trees import refused, tree_of


def matches(model: object) -> bool:
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ == "IsolationForest"


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile a fitted IsolationForest."""
    return compile_ensemble(ensemble_of(model, feature_names))


def ensemble_of(model: Any, feature_names: Sequence[str] | None) -> Ensemble:
    """The trees of `model`. Raises UnsupportedModel where it has no exact form."""
    if not hasattr(model, "estimators_"):
        raise refused(model, "it is not trained", "call fit first")
    scale = len(model.estimators_) * _mean_path(int(model.max_samples_))
    if not scale:
        raise refused(model, "it was trained on one sample a tree", "train with max_samples > 1")
    pairs = zip(model.estimators_, model.estimators_features_, strict=True)
    return Ensemble(
        source="sklearn_isolation",
        feature_names=named(
            feature_names, getattr(model, "feature_names_in_", ()), model.n_features_in_
        ),
        bases=(0,),
        trees=[_tree(estimator, features, scale) for estimator, features in pairs],
        link=Link.ANOMALY,
        rounded=len(model.estimators_),
        to_float32=True,
    )


def raw_scores(model: Any, rows: Any) -> Any:
    """log2 of the anomaly score that scikit-learn gives each row, [n]."""
    return np.log2(-model.score_samples(rows))


def _tree(estimator: Any, features: Sequence[int], scale: float) -> SourceTree:
    """The tree with path lengths for leaves: splits above, and c(samples) below."""
    own = estimator.tree_
    above = np.zeros(own.node_count)
    for at in range(own.node_count):
        for child in (own.children_left[at], own.children_right[at]):
            if child >= 0:
                above[child] = above[at] + 1
    shape = tree_of(estimator, lambda _: 0.0, features=features)
    ends = np.flatnonzero(own.children_left < 0)
    lengths = (above[at] + _mean_path(int(own.n_node_samples[at])) for at in ends)
    leaves = [to_fixed(-length / scale, "a path length") for length in lengths]
    return SourceTree(shape.splits, leaves, shape.weights)


def _mean_path(samples: int) -> float:
    """c(n): the mean path length of an isolation tree of n samples."""
    if samples <= 2:
        return float(max(samples - 1, 0))
    return float(2 * (np.log(samples - 1.0) + np.euler_gamma) - 2 * (samples - 1.0) / samples)
