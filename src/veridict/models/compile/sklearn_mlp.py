"""scikit-learn's small networks with ReLU → canonical networks in 32-bit integers.

MLPClassifier (two classes: log-odds; more: one score a class) and MLPRegressor (one target).
What rounding costs is bounded, see `quantised`; the inputs' ranges must be known, from a scaler
before the network in a Pipeline or from rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.models.compile.affine import Line, plain
from veridict.models.compile.ensemble import named
from veridict.models.compile.network import mlp
from veridict.models.compile.outcome import Compiled, Link
from veridict.models.compile.sklearn_linear import exact, quantised_outcome
from veridict.models.compile.sklearn_trees import refused

_LINKS = {"identity": Link.IDENTITY, "logistic": Link.LOGIT, "softmax": Link.SOFTMAX}


def matches(model: object) -> bool:
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ in (
        "MLPClassifier",
        "MLPRegressor",
    )


def compile_it(model: Any, feature_names: Sequence[str] | None, rows: Any = None) -> Compiled:
    """Compile an MLPClassifier or MLPRegressor; only `rows` tell the range of its inputs."""
    return compile_behind(model, feature_names, None, rows)


def compile_behind(
    model: Any,
    feature_names: Sequence[str] | None,
    lines: Sequence[Line] | None,
    rows: Any = None,
) -> Compiled:
    """As `compile_it`, for a model that sees its features through `lines`."""
    if not hasattr(model, "coefs_"):
        raise refused(model, "it is not trained", "call fit first")
    if len(model.coefs_) > 1 and model.activation not in ("relu", "identity"):
        raise refused(
            model, f"its activation is {model.activation}", "train with activation='relu'"
        )
    if len(model.coefs_) > 1 and model.activation == "identity":
        raise refused(model, "its activation is identity", "train a linear model")
    if model.out_activation_ not in _LINKS:
        reason = f"its output activation is {model.out_activation_}"
        raise refused(model, reason, "train on squared error or as a classifier")
    if model.out_activation_ == "identity" and model.n_outputs_ > 1:
        raise refused(model, "it has several targets", "train one model a target")
    if hasattr(model, "classes_") and model.out_activation_ == "logistic" and model.n_outputs_ > 1:
        raise refused(model, "it has several labels a row", "train one model a label")
    names = named(feature_names, getattr(model, "feature_names_in_", ()), model.n_features_in_)
    layers = [
        (exact(weights), [Fraction(float(bias)) for bias in biases])
        for weights, biases in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    rounded = mlp(lines or plain(len(names)), layers, type(model).__name__, rows)
    return quantised_outcome(rounded, names, _LINKS[model.out_activation_], "sklearn_mlp")


def raw_scores(model: Any, rows: Any) -> Any:
    """The last layer before its activation, [n, outputs], with the model's own weights."""
    at = np.asarray(rows, dtype=np.float64)
    for number, (weights, biases) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        at = at @ weights + biases
        if number < len(model.coefs_) - 1:
            at = np.maximum(at, 0)
    return at
