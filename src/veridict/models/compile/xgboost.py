"""XGBoost → canonical trees. Reads the model's own JSON or UBJSON; nothing is executed.

XGBoost casts every input to float32, rounding to nearest, and sends `value < threshold` left.
Missing values, NaN and what equals the wrapper's `missing` after the cast, go the default way.
A categorical split sends a set of whole numbers right: the value is cut off to an integer, and
negative values and unknown categories go left (common::Decision in categorical.h).

Leaves and base are float32 and added up in float32, so XGBoost's own number is off the exact sum
by more than the canonical one. Values beyond float32's range are infinite to the canonical
model; XGBoost itself refuses rows with such values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.compile import ubjson
from veridict.models.compile.ensemble import (
    Ensemble,
    SourceTree,
    compile_ensemble,
    named,
    whole_weights,
)
from veridict.models.compile.outcome import FLOAT32, Compiled, Link, to_fixed
from veridict.models.compile.splits import Split, by_stretches

_LINKS = {
    "binary:logistic": Link.LOGIT,
    "binary:logitraw": Link.LOGIT,
    "reg:logistic": Link.LOGIT,
    "reg:squarederror": Link.IDENTITY,
    "reg:squaredlogerror": Link.IDENTITY,
    "reg:absoluteerror": Link.IDENTITY,
    "reg:pseudohubererror": Link.IDENTITY,
    "reg:quantileerror": Link.IDENTITY,
    "rank:ndcg": Link.IDENTITY,
    "rank:map": Link.IDENTITY,
    "rank:pairwise": Link.IDENTITY,
    "count:poisson": Link.LOG,
    "reg:gamma": Link.LOG,
    "reg:tweedie": Link.LOG,
    "multi:softprob": Link.SOFTMAX,
    "multi:softmax": Link.SOFTMAX,
}


def matches(model: object) -> bool:
    """Whether `model` is an XGBoost Booster or scikit-learn estimator."""
    return type(model).__module__.split(".")[0] == "xgboost"


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile a Booster (missing is NaN), XGBClassifier, XGBRegressor or XGBRanker."""
    return compile_ensemble(ensemble_of(model, feature_names))


def ensemble_of(model: Any, feature_names: Sequence[str] | None) -> Ensemble:
    booster, missing = model, math.nan
    if hasattr(model, "get_booster"):
        try:
            booster = model.get_booster()
        except Exception as error:  # NotFittedError, of whichever scikit-learn is installed
            reason = f"it is not trained ({type(error).__name__})"
            raise _refused(reason, "call fit first") from error
        missing = float(model.missing)
        if (best := getattr(model, "best_iteration", None)) is not None:
            booster = booster[: best + 1]  # early stopping: what predict uses
    return read_document(ubjson.read(bytes(booster.save_raw("ubj"))), feature_names, missing)


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own margins, [n] or [n, outputs], of float rows."""
    if hasattr(model, "get_booster"):
        return model.predict(rows, output_margin=True)
    return model.inplace_predict(rows, predict_type="margin")


def compile_bytes(data: bytes, feature_names: Sequence[str] | None = None) -> Compiled:
    """The canonical form of a model file, JSON or UBJSON, as Booster.save_model writes it.

    Raises UnsupportedModel, naming the reason, for what has no exact form, and
    ValueError or LookupError where the file is damaged.
    """
    is_text = data[1:2] in (b'"', b"\n", b" ", b"\r", b"\t")
    document = json.loads(data, parse_float=float32_of) if is_text else ubjson.read(data)
    return compile_ensemble(read_document(document, feature_names, math.nan))


def read_document(document: Any, feature_names: Sequence[str] | None, missing: float) -> Ensemble:
    """The trees of XGBoost's own document. Raises UnsupportedModel."""
    learner = document["learner"]
    link = _link(learner)
    model, scales = _trees_of(learner["gradient_booster"])
    parameters = learner["learner_model_param"]
    outputs = max(int(parameters["num_class"]), 1)
    if int(parameters.get("num_target", "1")) > 1:
        raise _refused("it has several targets", "train one model a target")
    bases = [float32_of(word) for word in parameters["base_score"].strip("[]").split(",")]
    is_raw = learner["objective"]["name"] == "binary:logitraw"
    margins = bases if is_raw else [_margin(base, link) for base in bases]
    names = named(feature_names, learner["feature_names"], int(parameters["num_feature"]))
    numbers = range(len(model["trees"]))
    trees = [
        _Tree(model["trees"][number], number, scales[number], missing).tree(
            model["tree_info"][number]
        )
        for number in numbers
    ]
    most = max((model["tree_info"].count(output) for output in range(outputs)), default=0)
    return Ensemble(
        source="xgboost",
        feature_names=names,
        bases=tuple(to_fixed(m, "base_score") for m in margins) * (outputs // len(margins)),
        trees=trees,
        link=link,
        rounded=most + 1,
        precision=FLOAT32,
        to_float32=True,
    )


def float32_of(text: str) -> float:
    """The float32 nearest to a decimal, halves to even: without rounding to float64 between."""
    value = float(text)
    with np.errstate(over="ignore"):
        near = float(np.float32(value))
        if not math.isfinite(near):
            return near
        other = 2 * value - near  # is a float32 as well where value lies midway between two
        if value == near or other != float(np.float32(other)):
            return near
    exact = Fraction(text)
    return near if exact == Fraction(value) or (exact < value) == (near < other) else other


def _link(learner: Any) -> Link:
    objective = learner["objective"]["name"]
    if objective not in _LINKS:
        raise _refused(
            f"objective {objective} gives scores of unknown meaning",
            f"train with one of: {', '.join(sorted(_LINKS))}",
        )
    return _LINKS[objective]


def _margin(base: float, link: Link) -> float:
    """What the trees are added to, in float32 as XGBoost's ProbToMargin reckons it."""
    if link is Link.LOGIT:
        odds = float(np.float32(1) / np.float32(base) - np.float32(1))
        return float(np.float32(-math.log(odds)))
    return float(np.float32(math.log(base))) if link is Link.LOG else base


def _trees_of(booster: Any) -> tuple[Any, list[float]]:
    """The tree model, and what each tree's leaves are multiplied by (dart)."""
    if booster["name"] == "dart":
        model = booster["gbtree"]["model"]
        scales = booster["weight_drop"]
    elif booster["name"] == "gbtree":
        model = booster["model"]
        scales = [1.0] * len(model["trees"])
    else:
        raise _refused(f"its booster is {booster['name']}", "train with booster=gbtree or dart")
    if model.get("cats", {}).get("enc"):
        raise _refused(
            "it numbers categories as the DataFrame it was trained on did",
            "train on category codes as numbers",
        )
    return model, scales


class _Tree:
    """One tree of the document; nodes that pruning left unreachable are not looked at."""

    def __init__(self, tree: Any, number: int, scale: float, missing: float) -> None:
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise _refused("its leaves are vectors (multi_output_tree)", "train without it")
        self.left, self.right = tree["left_children"], tree["right_children"]
        self.features, self.conditions = tree["split_indices"], tree["split_conditions"]
        self.default_left, self.hessians = tree["default_left"], tree["sum_hessian"]
        self.scale, self.number = scale, number
        with np.errstate(over="ignore"):
            self.missing = float(np.float32(missing))
        ends = zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"],
            strict=True,
        )  # fmt: skip
        self.categories = {node: tree["categories"][at : at + size] for node, at, size in ends}

    def tree(self, output: int) -> SourceTree:
        inner: dict[int, int] = {}
        outer: dict[int, int] = {}
        waiting = [0]
        for node in waiting:
            if self.left[node] < 0:
                outer[node] = ~len(outer)
                continue
            inner[node] = len(inner)
            waiting += [self.left[node], self.right[node]]
            if len(waiting) > len(self.left) or min(waiting[-2:]) < 0:
                raise ValueError(f"the nodes of tree {self.number} are no tree")
        place = inner | outer
        values = (self.scale * self.conditions[node] for node in outer)
        return SourceTree(
            [self._split(node, place) for node in inner],
            [to_fixed(value, f"a leaf of tree {self.number}") for value in values],
            whole_weights([self.hessians[node] for node in outer]),
            output,
        )

    def _split(self, node: int, place: dict[int, int]) -> Split:
        default_left = bool(self.default_left[node])
        if node in self.categories:
            chosen = {int(category) for category in self.categories[node]}
            borders = [_before(float(c + step)) for c in sorted(chosen) for step in (0, 1)]

            def goes_left(value: float) -> bool:
                return not 0 <= value < math.inf or int(value) not in chosen
        else:
            threshold = self.conditions[node]
            borders = [_before(threshold)]

            def goes_left(value: float) -> bool:
                return bool(value < threshold)

        cuts, first_left = by_stretches(
            [*borders, *self._around_missing()],
            lambda value: default_left if value == self.missing else goes_left(value),
        )
        return Split(
            self.features[node], cuts, first_left, not default_left,
            place[self.left[node]], place[self.right[node]],
        )  # fmt: skip

    def _around_missing(self) -> list[float]:
        return [] if math.isnan(self.missing) else [_before(self.missing), self.missing]


def _before(value: float) -> float:
    """The float32 before a float32; NaN before -inf."""
    if value == -math.inf:
        return math.nan
    with np.errstate(over="ignore"):  # of the lowest float32
        return float(np.nextafter(np.float32(value), np.float32(-math.inf)))


def _refused(reason: str, remedy: str) -> UnsupportedModel:
    return UnsupportedModel(f"this XGBoost model cannot be compiled: {reason}", remedy=remedy)
