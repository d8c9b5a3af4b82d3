"""scikit-learn's HistGradientBoosting (Classifier, Regressor) → canonical trees.

It compares float64 as it is, `value <= threshold` left. Missing values go where the node's
missing_go_to_left says. A categorical split names the categories that go left; the other
categories seen in training go right, unseen ones count as missing. Which value is which category
is asked of the model's own encoder: a category is one float, not an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from veridict.models.compile.ensemble import (
    Ensemble,
    SourceTree,
    compile_ensemble,
    named,
    whole_weights,
)
from veridict.models.compile.outcome import Compiled, Link, to_fixed
from veridict.models.compile.sklearn_trees import refused
from veridict.models.compile.splits import Split, by_stretches


def matches(model: object) -> bool:
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ in (
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    )


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile a fitted HistGradientBoostingClassifier or -Regressor."""
    return compile_ensemble(ensemble_of(model, feature_names))


def ensemble_of(model: Any, feature_names: Sequence[str] | None) -> Ensemble:
    """The trees of `model`. Raises UnsupportedModel where it has no exact form."""
    if not hasattr(model, "n_features_in_"):
        raise refused(model, "it is not trained", "call fit first")
    bases = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    columns = _Columns(model)
    return Ensemble(
        source="sklearn_hist",
        feature_names=named(
            feature_names, getattr(model, "feature_names_in_", ()), model.n_features_in_
        ),
        bases=tuple(to_fixed(float(base), "its baseline") for base in bases),
        trees=[
            _tree(predictor, output, columns)
            for stage in model._predictors
            for output, predictor in enumerate(stage)
        ],
        link=_link(model, len(bases)),
        rounded=len(model._predictors) + 1,
    )


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own raw scores [n, outputs] of float rows."""
    return model._raw_predict(rows)


def _link(model: Any, outputs: int) -> Link:
    if hasattr(model, "classes_"):
        return Link.LOGIT if outputs == 1 else Link.SOFTMAX
    return Link.LOG if model.loss in ("poisson", "gamma") else Link.IDENTITY


class _Columns:
    """From the trees' features to the model's: encoded categories come first there."""

    def __init__(self, model: Any) -> None:
        encoder = model._preprocessor
        self.numbers = list(range(model.n_features_in_))
        self.values: dict[int, list[float]] = {}
        if encoder is None:
            return
        is_categorical = np.asarray(model.is_categorical_)
        first = np.flatnonzero(is_categorical).tolist()
        self.numbers = first + np.flatnonzero(~is_categorical).tolist()
        categories = encoder.named_transformers_["encoder"].categories_
        for own, known in enumerate(categories):
            try:
                self.values[own] = [float(value) for value in known]
            except (TypeError, ValueError) as problem:
                raise refused(
                    model,
                    f"categories of feature {first[own]} are no numbers",
                    "encode categories as numbers before training",
                ) from problem


def _tree(predictor: Any, output: int, columns: _Columns) -> SourceTree:
    nodes = predictor.nodes
    inner = [at for at in range(len(nodes)) if not nodes["is_leaf"][at]]
    ends = [at for at in range(len(nodes)) if nodes["is_leaf"][at]]
    place = {at: number for number, at in enumerate(inner)}
    place |= {at: ~number for number, at in enumerate(ends)}
    splits = []
    for at in inner:
        node = nodes[at]
        own, missing_left = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        cuts: tuple[float, ...] = (float(node["num_threshold"]),)
        first_left = True
        if node["is_categorical"]:
            words = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            cuts, first_left = _categories(columns.values[own], words, missing_left)
        splits.append(
            Split(
                columns.numbers[own],
                cuts,
                first_left,
                not missing_left,
                place[int(node["left"])],
                place[int(node["right"])],
            )
        )
    leaves = [to_fixed(float(nodes["value"][at]), f"leaf {at}") for at in ends]
    return SourceTree(splits, leaves, whole_weights(nodes["count"][ends].tolist()), output)


def _categories(
    values: Sequence[float], words: Sequence[int], missing_left: bool
) -> tuple[tuple[float, ...], bool]:
    """Cuts and first_left: known values by the bit of their code, 32 to a word; others missing."""
    ways = {
        value: bool(int(words[code // 32]) >> code % 32 & 1)
        for code, value in enumerate(values)
        if value == value
    }
    borders = [border for v in ways for border in (math.nextafter(v, -math.inf), v)]
    return by_stretches(borders, lambda value: ways.get(value, missing_left))
