"""LightGBM → canonical trees. Reads the model's own text, which is exact (17 digits).

Splits are on `value <= threshold`; what a missing value does depends on the
split's missing type (LightGBM's Tree::NumericalDecision):

    None   NaN counts as 0.0
    NaN    NaN goes the default way
    Zero   NaN and |value| <= 1e-35f go the default way

Before that, LightGBM reads every |value| <= 1e-35f as 0.0 (RowPairFunctionFromDenseMatric
in c_api.cpp), so such values go where zero goes, whatever the threshold.

A categorical split sends a set of whole numbers left (Tree::CategoricalDecision): the value is
cut off to an integer, so category c is every value in [c, c + 1), category 0 all in (-1, 1);
negative values, NaN and categories that are not in the set go right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.ensemble import Ensemble, SourceTree, compile_ensemble, named
from veridict.models.compile.outcome import Compiled, Link, to_fixed
from veridict.models.compile.splits import Split, by_stretches

_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of decision_type; bits 2 and 3 are the missing type
_MISSING_NONE, _MISSING_NAN = 0, 2
_ZERO = float(np.float32(1e-35))  # kZeroThreshold in LightGBM's meta.h
_BELOW_ZERO = math.nextafter(-_ZERO, -math.inf)

_LINKS = {
    "binary": Link.LOGIT,
    "cross_entropy": Link.LOGIT,
    "regression": Link.IDENTITY,
    "regression_l1": Link.IDENTITY,
    "huber": Link.IDENTITY,
    "fair": Link.IDENTITY,
    "quantile": Link.IDENTITY,
    "mape": Link.IDENTITY,
    "lambdarank": Link.IDENTITY,
    "rank_xendcg": Link.IDENTITY,
    "poisson": Link.LOG,
    "gamma": Link.LOG,
    "tweedie": Link.LOG,
    "multiclass": Link.SOFTMAX,
    "multiclassova": Link.ONE_VS_REST,
}


def matches(model: object) -> bool:
    """Whether `model` is a LightGBM Booster or scikit-learn estimator."""
    return type(model).__module__.split(".")[0] == "lightgbm"


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile a Booster, LGBMClassifier, LGBMRegressor or LGBMRanker."""
    return compile_ensemble(ensemble_of(model, feature_names))


def ensemble_of(model: Any, feature_names: Sequence[str] | None) -> Ensemble:
    return read_text(_booster(model).model_to_string(), feature_names)


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own raw scores, [n] or [n, outputs], of float rows."""
    return _booster(model).predict(rows, raw_score=True)


def compile_text(text: str, feature_names: Sequence[str] | None = None) -> Compiled:
    """The canonical form of a LightGBM model file's text.

    Raises UnsupportedModel, naming the reason, for what has no exact form.
    """
    return compile_ensemble(read_text(text, feature_names))


def read_text(text: str, feature_names: Sequence[str] | None) -> Ensemble:
    """The trees of a LightGBM model file's text. Raises UnsupportedModel."""
    header, sections = _sections(text)
    outputs, link = _outputs(header), _link(header)
    n_features = int(header["max_feature_idx"]) + 1
    return Ensemble(
        source="lightgbm",
        feature_names=named(feature_names, header["feature_names"].split(" "), n_features),
        bases=(0,) * outputs,
        trees=[_tree(pairs, number, number % outputs) for number, pairs in enumerate(sections)],
        link=link,
        rounded=-(-len(sections) // outputs),
    )


def _booster(model: Any) -> Any:
    if hasattr(model, "model_to_string"):
        return model
    try:
        return model.booster_
    except Exception as error:  # NotFittedError, of whichever scikit-learn is installed
        raise _refused(f"it is not trained ({type(error).__name__})", "call fit first") from error


def _sections(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Key-value pairs of the header, and of each tree."""
    body = text.split("\nend of trees", 1)[0]
    head, *trees = body.split("\nTree=")
    return _pairs(head), [_pairs(tree) for tree in trees]


def _pairs(block: str) -> dict[str, str]:
    pairs = {}
    for line in block.splitlines():
        key, _, value = line.partition("=")
        pairs[key] = value
    return pairs


def _outputs(header: dict[str, str]) -> int:
    outputs = int(header["num_tree_per_iteration"])
    if outputs < 1 or int(header["num_class"]) != outputs:
        raise _refused(
            f"it grows {outputs} trees a round for {header['num_class']} classes",
            "train with objective=multiclass or multiclassova",
        )
    return outputs


def _link(header: dict[str, str]) -> Link:
    if "average_output" in header:
        raise _refused("it averages its trees (boosting=rf)", "train with boosting=gbdt or dart")
    objective, *options = header.get("objective", "custom").split(" ")
    if objective not in _LINKS:
        raise _refused(
            f"objective {objective} gives scores of unknown meaning",
            f"train with one of: {', '.join(sorted(_LINKS))}",
        )
    if "sqrt" in options:
        raise _refused("it learns the square root of the target (reg_sqrt)", "train without it")
    if any(o.startswith("sigmoid:") and float(o[8:]) != 1.0 for o in options):
        raise _refused("its sigmoid is scaled, so scores are no log-odds", "train with sigmoid=1")
    return _LINKS[objective]


def _tree(pairs: dict[str, str], number: int, output: int) -> SourceTree:
    """One tree as LightGBM writes it; its children `~i` are leaves, as ours are."""
    if pairs.get("is_linear", "0") != "0":
        raise _refused(f"tree {number} has linear leaves (linear_tree)", "train without it")

    def ints(key: str) -> list[int]:
        return [int(word) for word in pairs.get(key, "").split()]

    values = [float(word) for word in pairs["leaf_value"].split()]
    leaves = [to_fixed(value, f"leaf {i} of tree {number}") for i, value in enumerate(values)]
    thresholds = [float(word) for word in pairs.get("threshold", "").split()]
    starts, words = ints("cat_boundaries"), ints("cat_threshold")
    splits = []
    for feature, threshold, decision, left, right in zip(
        ints("split_feature"), thresholds, ints("decision_type"),
        ints("left_child"), ints("right_child"), strict=True,
    ):  # fmt: skip
        if decision & _CATEGORICAL:
            at = int(threshold)
            cuts, first_left = _categories(words[starts[at] : starts[at + 1]])
            missing_right = True
        else:
            cuts, first_left, missing_right = _rule(threshold, decision)
        splits.append(Split(feature, cuts, first_left, missing_right, left, right))
    weights = [max(count, 1) for count in ints("leaf_count") or [1] * len(leaves)]
    return SourceTree(splits, leaves, weights, output)


def _rule(threshold: float, decision: int) -> tuple[tuple[float, ...], bool, bool]:
    """Cuts, whether the first stretch goes left, whether missing goes right."""
    default_left = bool(decision & _DEFAULT_LEFT)
    missing = decision >> 2 & 3
    if missing == _MISSING_NONE:
        return (_snapped(threshold),), True, threshold < 0.0
    if missing == _MISSING_NAN:
        return (_snapped(threshold),), True, not default_left
    cuts, first_left = by_stretches(
        (threshold, _BELOW_ZERO, _ZERO),
        lambda value: default_left if abs(value) <= _ZERO else value <= threshold,
    )
    return cuts, first_left, not default_left


def _snapped(threshold: float) -> float:
    """The threshold that keeps [-_ZERO, _ZERO] together, on the side of zero."""
    if -_ZERO <= threshold < 0.0:
        return _BELOW_ZERO
    return _ZERO if 0.0 <= threshold < _ZERO else threshold


def _categories(words: Sequence[int]) -> tuple[tuple[float, ...], bool]:
    """Cuts and first_left of a bit set of categories that go left, 32 to a word."""
    cuts: list[float] = []
    known = [32 * at + bit for at, word in enumerate(words) for bit in range(32) if word >> bit & 1]
    for category in known:
        # Only what is at most -1 lies below category 0: -0.5 is cut off to 0.
        below = math.nextafter(float(category), -math.inf) if category else -1.0
        if cuts and cuts[-1] == below:
            cuts.pop()
        else:
            cuts.append(below)
        cuts.append(math.nextafter(category + 1.0, -math.inf))
    return tuple(cuts), False


def _refused(reason: str, remedy: str) -> UnsupportedModel:
    return UnsupportedModel(f"this LightGBM model cannot be compiled: {reason}", remedy=remedy)
