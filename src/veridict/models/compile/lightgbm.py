"""LightGBM → canonical trees. Reads the model's own text, which is exact (17 digits).

Splits are on `value <= threshold`; what a missing value does depends on the
split's missing type (LightGBM's Tree::NumericalDecision):

    None   NaN counts as 0.0
    NaN    NaN goes the default way
    Zero   NaN and |value| <= 1e-35f go the default way

Before that, LightGBM reads every |value| <= 1e-35f as 0.0 (RowPairFunctionFromDenseMatric
in c_api.cpp), so such values go where zero goes, whatever the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.annex import Annex, expected_values
from veridict.models.canonical import CanonicalModel
from veridict.models.compile.outcome import Compiled, Link, to_fixed
from veridict.models.image import image_of
from veridict.models.layout import Node, Tree, TreeModel

_DEFAULT_LEFT = 2  # bit of decision_type; bits 2 and 3 are the missing type
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
}


def matches(model: object) -> bool:
    """Whether `model` is a LightGBM Booster or scikit-learn estimator."""
    return type(model).__module__.split(".")[0] == "lightgbm"


def compile_it(model: Any, feature_names: Sequence[str] | None) -> Compiled:
    """Compile a Booster, LGBMClassifier (binary), LGBMRegressor or LGBMRanker."""
    return compile_text(_booster(model).model_to_string(), feature_names)


def raw_scores(model: Any, rows: Any) -> Any:
    """The source's own raw scores [n] of float rows."""
    return _booster(model).predict(rows, raw_score=True)


def compile_text(text: str, feature_names: Sequence[str] | None = None) -> Compiled:
    """The canonical form of a LightGBM model file's text.

    Raises UnsupportedModel, naming the reason, for what has no exact form.
    """
    header, sections = _sections(text)
    link = _link(header)
    n_features = int(header["max_feature_idx"]) + 1
    names = tuple(feature_names or header["feature_names"].split(" "))
    if len(names) != n_features:
        raise UnsupportedModel(
            f"{len(names)} feature names for {n_features} features",
            remedy="pass one name a feature, in training order",
        )
    base = 0
    trees: list[Tree] = []
    expected: list[tuple[int, ...]] = []
    for number, section in enumerate(sections):
        source = _SourceTree.parse(section, number)
        if source.is_constant:
            base += source.leaves[0]
        else:
            tree, expectations = source.tree()
            trees.append(tree)
            expected.append(expectations)
    model = CanonicalModel.from_trees(TreeModel(n_features, base, tuple(trees)))
    return Compiled(
        model=model,
        annex=Annex(model.id, tuple(expected)),
        feature_names=names,
        link=link,
        source="lightgbm",
        error_bound=len(sections) / 2,
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


def _link(header: dict[str, str]) -> Link:
    if int(header["num_class"]) != 1 or int(header["num_tree_per_iteration"]) != 1:
        raise _refused("it has several classes", "train one model a class (binary)")
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


@dataclass(frozen=True, slots=True)
class _SourceTree:
    """One tree as LightGBM writes it; children `~i` are leaves, as ours are."""

    features: list[int]
    thresholds: list[float]
    decisions: list[int]
    left: list[int]
    right: list[int]
    leaves: list[int]
    leaf_counts: list[int]

    @classmethod
    def parse(cls, pairs: dict[str, str], number: int) -> _SourceTree:
        if pairs.get("is_linear", "0") != "0":
            raise _refused(f"tree {number} has linear leaves (linear_tree)", "train without it")
        if pairs.get("num_cat", "0") != "0":
            raise _refused(
                f"tree {number} splits on a categorical feature",
                "encode categories as numbers before training",
            )

        def ints(key: str) -> list[int]:
            return [int(word) for word in pairs.get(key, "").split()]

        leaves = [float(word) for word in pairs["leaf_value"].split()]
        return cls(
            ints("split_feature"),
            [float(word) for word in pairs.get("threshold", "").split()],
            ints("decision_type"),
            ints("left_child"),
            ints("right_child"),
            [to_fixed(v, f"leaf {i} of tree {number}") for i, v in enumerate(leaves)],
            ints("leaf_count") or [1] * len(leaves),
        )

    @property
    def is_constant(self) -> bool:
        return len(self.leaves) == 1

    def tree(self) -> tuple[Tree, tuple[int, ...]]:
        """The tree, and the expected value of each of its nodes."""
        source = self._sorted()
        rules = [_rule(t, d) for t, d in zip(source.thresholds, source.decisions, strict=True)]
        first = list(accumulate((len(rule) for rule in rules), initial=0))
        means = expected_values(source.left, source.right, source.leaves, source.leaf_counts)
        nodes: list[Node] = []
        expected: list[int] = []
        for n, rule in enumerate(rules):
            ways = {
                _LEFT: source.left[n] if source.left[n] < 0 else first[source.left[n]],
                _RIGHT: source.right[n] if source.right[n] < 0 else first[source.right[n]],
            }
            for step, (threshold, missing_right, below, above) in enumerate(rule, start=1):
                ways[_NEXT] = first[n] + step
                at = image_of(threshold)
                nodes.append(Node(source.features[n], at, missing_right, ways[below], ways[above]))
                expected.append(means[n])
        return Tree(tuple(nodes), tuple(source.leaves)), tuple(expected)

    def _sorted(self) -> _SourceTree:
        """The same tree with children after their parents, breadth first."""
        order = [0]
        for node in order:
            order += [child for child in (self.left[node], self.right[node]) if child >= 0]
        place = {node: number for number, node in enumerate(order)}

        def moved(children: list[int]) -> list[int]:
            return [children[n] if children[n] < 0 else place[children[n]] for n in order]

        return replace(
            self,
            features=[self.features[n] for n in order],
            thresholds=[self.thresholds[n] for n in order],
            decisions=[self.decisions[n] for n in order],
            left=moved(self.left),
            right=moved(self.right),
        )


_LEFT, _RIGHT, _NEXT = "left", "right", "next"
_Step = tuple[float, bool, str, str]  # threshold, missing goes right, at most it, above it


def _rule(threshold: float, decision: int) -> list[_Step]:
    """One LightGBM split as one canonical split, or three where zero counts as missing.

    A step is (threshold, missing goes right, way if <= threshold, way if above).
    """
    if math.isnan(threshold):
        raise _refused("a threshold is NaN", "train again")
    default_left = bool(decision & _DEFAULT_LEFT)
    missing = decision >> 2 & 3
    if missing == _MISSING_NONE:
        return [(_snapped(threshold), threshold < 0.0, _LEFT, _RIGHT)]
    if missing == _MISSING_NAN:
        return [(_snapped(threshold), not default_left, _LEFT, _RIGHT)]
    return _zero_rule(threshold, default_left)


def _snapped(threshold: float) -> float:
    """The threshold that keeps [-_ZERO, _ZERO] together, on the side of zero."""
    if -_ZERO <= threshold < 0.0:
        return _BELOW_ZERO
    return _ZERO if 0.0 <= threshold < _ZERO else threshold


def _zero_rule(threshold: float, default_left: bool) -> list[_Step]:
    """[-_ZERO, _ZERO] and NaN go the default way, all else by the threshold."""
    below_zero = _BELOW_ZERO
    inside = -_ZERO <= threshold < _ZERO
    if default_left:
        if threshold >= _ZERO:
            return [(threshold, False, _LEFT, _RIGHT)]
        if inside or threshold == below_zero:
            return [(_ZERO, False, _LEFT, _RIGHT)]
        return [
            (threshold, False, _LEFT, _NEXT),
            (below_zero, False, _RIGHT, _NEXT),
            (_ZERO, False, _LEFT, _RIGHT),
        ]
    if threshold <= below_zero:
        return [(threshold, True, _LEFT, _RIGHT)]
    if inside or threshold == _ZERO:
        return [(below_zero, True, _LEFT, _RIGHT)]
    return [
        (below_zero, True, _LEFT, _NEXT),
        (_ZERO, True, _RIGHT, _NEXT),
        (threshold, True, _LEFT, _RIGHT),
    ]


def _refused(reason: str, remedy: str) -> UnsupportedModel:
    return UnsupportedModel(f"this LightGBM model cannot be compiled: {reason}", remedy=remedy)
