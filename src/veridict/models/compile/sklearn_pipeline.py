"""scikit-learn's Pipeline: scalers and a filler of gaps, folded into the model behind them.

StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, SimpleImputer (NaN only). Before trees,
thresholds move to the last float64 that the scaler, rounding as it does, still sends the same
way. Before linear models and networks, scaling is a line and goes into the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.affine import Line, plain
from veridict.models.compile.ensemble import compile_ensemble, named
from veridict.models.compile.frontier import Lens
from veridict.models.compile.outcome import Compiled
from veridict.models.compile.sklearn_trees import refused

_TREES = ("lightgbm", "xgboost", "sklearn_trees", "sklearn_hist", "sklearn_isolation")
_PRODUCTS = ("sklearn_linear", "sklearn_mlp")

Step = tuple[Any, Any]  # a ufunc and one number a feature


def matches(model: object) -> bool:
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ == "Pipeline"


def compile_it(model: Any, feature_names: Sequence[str] | None, rows: Any = None) -> Compiled:
    """Compile a fitted Pipeline of the steps named above and a model that has a compiler."""
    *before, last = (step for _, step in model.steps if step not in (None, "passthrough"))
    n_features = getattr(before[0] if before else last, "n_features_in_", None)
    if n_features is None:
        raise refused(model, "it is not trained", "call fit first")
    names = named(feature_names, getattr(model, "feature_names_in_", ()), n_features)
    compiler = _compiler(last)
    if hasattr(compiler, "compile_behind"):
        lines = _lines(before, n_features)
        compiled: Compiled = compiler.compile_behind(last, names, lines, rows)
    else:
        compiled = compile_ensemble(compiler.ensemble_of(last, names), _lens(before, n_features))
    return replace(compiled, source="sklearn_pipeline")


def raw_scores(model: Any, rows: Any) -> Any:
    """The last step's own raw scores of rows that went through the others."""
    return _compiler(model.steps[-1][1]).raw_scores(
        model.steps[-1][1], model[:-1].transform(rows) if len(model.steps) > 1 else rows
    )


def _compiler(last: Any) -> Any:
    for name in (*_TREES, *_PRODUCTS):
        compiler = import_module(f"veridict.models.compile.{name}")
        if compiler.matches(last):
            return compiler
    kind = type(last)
    raise UnsupportedModel(
        f"this Pipeline cannot be compiled: its last step is {kind.__module__}.{kind.__qualname__}",
        remedy=f"end it with a model of: {', '.join((*_TREES, *_PRODUCTS))}",
    )


def _lens(before: Sequence[Any], n_features: int) -> Lens:
    """The steps as a tree sees through them."""
    steps: list[Step] = []
    fill = None
    for number, step in enumerate(before):
        if type(step).__name__ == "SimpleImputer":
            if number:
                raise refused(step, "it stands behind a scaler", "put it first in the Pipeline")
            fill = _fill(step, n_features)
        else:
            steps += _steps(step, n_features)
    return Lens(tuple(steps), fill)


def _lines(before: Sequence[Any], n_features: int) -> Sequence[Line]:
    """The steps as exact lines. Raises UnsupportedModel for a scaler that clips."""
    lines = list(plain(n_features))
    for number, step in enumerate(before):
        if type(step).__name__ == "SimpleImputer":
            if number:
                raise refused(step, "it stands behind a scaler", "put it first in the Pipeline")
            lines = [
                replace(li, missing=float(v))
                for li, v in zip(lines, _fill(step, n_features), strict=True)
            ]
            continue
        for operation, numbers in _steps(step, n_features):
            lines = [
                _through(step, li, operation, float(v))
                for li, v in zip(lines, numbers, strict=True)
            ]
        lines = [
            replace(line, centre=centre, spread=spread) if line.spread is None else line
            for line, (centre, spread) in zip(lines, _where(step, n_features), strict=True)
        ]
    return lines


def _through(step: Any, line: Line, operation: Any, number: float) -> Line:
    exact = Fraction(number)
    if operation is np.subtract:
        slope, intercept = line.then(Fraction(1), -exact)
    elif operation is np.add:
        slope, intercept = line.then(Fraction(1), exact)
    elif operation is np.multiply:
        slope, intercept = line.then(exact, Fraction(0))
    elif operation is np.divide:
        slope, intercept = line.then(1 / exact, Fraction(0))
    else:
        raise refused(step, "it clips", "train with clip=False, or a model of trees")
    return replace(line, slope=slope, intercept=intercept)


def _steps(step: Any, n_features: int) -> list[Step]:
    """The arithmetic of a fitted scaler, in its own order."""
    kind = type(step).__name__
    if not type(step).__module__.startswith("sklearn."):
        kind = f"{type(step).__module__}.{kind}"
    known = kind in ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
    if not known or getattr(step, "n_features_in_", n_features) != n_features:
        raise UnsupportedModel(
            f"this Pipeline cannot be compiled: it cannot be folded through {kind}",
            remedy="use StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler or SimpleImputer",
        )
    steps: list[Step] = []
    if kind == "StandardScaler":
        steps += [(np.subtract, step.mean_)] if step.with_mean else []
        steps += [(np.divide, step.scale_)] if step.with_std else []
    elif kind == "RobustScaler":
        steps += [(np.subtract, step.center_)] if step.with_centering else []
        steps += [(np.divide, step.scale_)] if step.with_scaling else []
    elif kind == "MaxAbsScaler":
        steps.append((np.divide, step.scale_))
    else:
        steps += [(np.multiply, step.scale_), (np.add, step.min_)]
    if getattr(step, "clip", False):
        low, high = step.feature_range if kind == "MinMaxScaler" else (-1.0, 1.0)
        steps += [(np.maximum, np.full(n_features, low)), (np.minimum, np.full(n_features, high))]
    return [(operation, np.asarray(numbers, dtype=np.float64)) for operation, numbers in steps]


def _where(step: Any, n_features: int) -> list[tuple[float | None, float | None]]:
    """Centre and spread of the values a scaler saw in training."""
    kind = type(step).__name__
    if kind == "StandardScaler" and step.with_std:
        centres = step.mean_ if step.mean_ is not None else np.zeros(n_features)
        return [(float(c), float(s)) for c, s in zip(centres, step.scale_, strict=True)]
    if kind == "MinMaxScaler":
        pairs = zip(step.data_min_, step.data_max_, strict=True)
        return [(float(a + b) / 2, float(b - a) / 2 or 1.0) for a, b in pairs]
    if kind == "MaxAbsScaler":
        return [(0.0, float(scale)) for scale in step.scale_]
    if kind == "RobustScaler" and step.with_scaling:
        centres = step.center_ if step.center_ is not None else np.zeros(n_features)
        return [(float(c), float(s)) for c, s in zip(centres, step.scale_, strict=True)]
    return [(None, None)] * n_features


def _fill(step: Any, n_features: int) -> Any:
    if step.missing_values == step.missing_values or step.add_indicator:
        raise refused(step, "it fills more than NaN, or adds columns", "fill NaN only")
    fill = np.asarray(step.statistics_, dtype=np.float64)
    if len(fill) != n_features or np.isnan(fill).any():
        raise refused(step, "it drops features without any value", "drop them before training")
    return fill
