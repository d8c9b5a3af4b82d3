"""scikit-learn's linear models → canonical linear models.

LogisticRegression (two classes: log-odds; more: one score a class), LinearRegression, Ridge,
Lasso, ElasticNet. Scores are quantised: see `quantised` for how, and for the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.nouns import SCORE_ONE
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.compile.affine import Line, plain
from veridict.models.compile.ensemble import named
from veridict.models.compile.outcome import FLOAT64, Compiled, Link
from veridict.models.compile.quantised import Rounded, linear
from veridict.models.compile.sklearn_trees import refused

_CLASSIFIERS = {"LogisticRegression", "LogisticRegressionCV"}
_REGRESSORS = {"LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet"}


def matches(model: object) -> bool:
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ in _CLASSIFIERS | _REGRESSORS


def compile_it(model: Any, feature_names: Sequence[str] | None, rows: Any = None) -> Compiled:
    """Compile one of the estimators named above."""
    return compile_behind(model, feature_names, None, rows)


def compile_behind(
    model: Any,
    feature_names: Sequence[str] | None,
    lines: Sequence[Line] | None,
    rows: Any = None,
) -> Compiled:
    """As `compile_it`, for a model that sees its features through `lines`."""
    if not hasattr(model, "coef_"):
        raise refused(model, "it is not trained", "call fit first")
    weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    if len(weights) > 1 and not hasattr(model, "classes_"):
        raise refused(model, "it has several targets", "train one model a target")
    intercepts = np.broadcast_to(np.ravel(model.intercept_), len(weights))
    if not (np.isfinite(weights).all() and np.isfinite(intercepts).all()):
        raise refused(model, "a weight is not finite", "train again")
    names = named(feature_names, getattr(model, "feature_names_in_", ()), model.n_features_in_)
    rounded = linear(
        lines or plain(len(names)), exact(weights.T), [Fraction(float(b)) for b in intercepts], rows
    )
    return quantised_outcome(rounded, names, _link(model, len(weights)), "sklearn_linear")


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own raw scores, [n] or [n, classes], of float rows."""
    return model.decision_function(rows) if hasattr(model, "classes_") else model.predict(rows)


def exact(matrix: Any) -> list[list[Fraction]]:
    return [[Fraction(float(value)) for value in row] for row in matrix]


def quantised_outcome(
    rounded: Rounded, names: tuple[str, ...], link: Link, source: str
) -> Compiled:
    """What is known of a model that `quantised` made. It has no nodes, so its annex is empty."""
    model = CanonicalModel.from_parts(rounded.model)
    steps = sum(len(layer.biases) for layer in getattr(rounded.model, "layers", ()))
    terms = model.n_features + steps + 8
    return Compiled(
        model=model,
        annex=Annex(model.id, ()),
        feature_names=names,
        link=link,
        source=source,
        error_bound=rounded.error,
        source_loss=2 * terms * FLOAT64 * model.parts.reach / SCORE_ONE,
        ranges=rounded.ranges,
    )


def _link(model: Any, outputs: int) -> Link:
    if not hasattr(model, "classes_"):
        return Link.IDENTITY
    if outputs == 1:
        return Link.LOGIT
    return Link.ONE_VS_REST if model.solver == "liblinear" else Link.SOFTMAX
