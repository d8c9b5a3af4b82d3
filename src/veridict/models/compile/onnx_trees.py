"""ONNX's tree ensembles, as the operators' definition and ONNX Runtime read them.

A node sends a row to its true branch where the comparison holds, or where the value is NaN and
missing_value_tracks_true is set. Weights of leaves are float32 and added up in float32.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from operator import eq as equal
from operator import ge, gt, le, lt, ne
from typing import Any

import numpy as np

from veridict.models.compile.ensemble import Ensemble, SourceTree
from veridict.models.compile.onnx_graph import floats, refused
from veridict.models.compile.outcome import FLOAT32, Link, to_fixed
from veridict.models.compile.splits import Split, by_stretches

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "BRANCH_LEQ": le, "BRANCH_LT": lt, "BRANCH_GTE": ge,
    "BRANCH_GT": gt, "BRANCH_EQ": equal, "BRANCH_NEQ": ne,
}  # fmt: skip
_LINKS = {"NONE": Link.IDENTITY, "LOGISTIC": Link.LOGIT, "SOFTMAX": Link.SOFTMAX}


def outputs_of(kind: str, values: dict[str, Any]) -> tuple[str, int]:
    """Prefix of the weights' attributes, and the number of outputs."""
    if kind == "TreeEnsembleRegressor":
        return "target", int(values.get("n_targets", 1))
    classes = len(values.get("classlabels_int64s") or values.get("classlabels_strings") or ())
    # Two classes with weights for one only: the score of the second.
    return "class", 1 if len(set(values["class_ids"])) == 1 and classes == 2 else classes


def ensemble_of(kind: str, values: dict[str, Any], names: tuple[str, ...]) -> Ensemble:
    """The trees of the operator's attributes. Raises UnsupportedModel."""
    prefix, outputs = outputs_of(kind, values)
    transform = values.get("post_transform", "NONE")
    allowed = {"NONE", "SOFTMAX"} if outputs > 1 else {"NONE", "LOGISTIC"}
    if transform not in allowed:
        raise refused(f"{transform} over {outputs} outputs is unknown", "export it otherwise")
    if kind == "TreeEnsembleRegressor" and outputs > 1:
        raise refused("it has several targets", "export one model a target")
    how = values.get("aggregate_function", "SUM")
    if how not in ("SUM", "AVERAGE"):
        raise refused(f"it aggregates by {how}", "export with aggregate_function SUM or AVERAGE")
    if any(name.endswith("_as_tensor") for name in values):
        raise refused("its numbers are float64 tensors", "export it with float inputs")
    numbers = sorted(set(values["nodes_treeids"]))
    share = 1.0 / len(numbers) if how == "AVERAGE" else 1.0
    weights: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for tree, node, output, weight in zip(
        values[f"{prefix}_treeids"], values[f"{prefix}_nodeids"],
        values[f"{prefix}_ids"], floats(values[f"{prefix}_weights"]).tolist(), strict=True,
    ):  # fmt: skip
        own = weights[tree, node]
        place = 0 if outputs == 1 else output
        own[place] = own.get(place, 0.0) + weight * share
    bases = floats(values.get("base_values") or [0.0] * outputs).tolist()
    if len(bases) not in (1, outputs):
        raise refused(f"{len(bases)} base values for {outputs} outputs", "export it again")
    nodes = _Nodes(values)
    trees = [tree for number in numbers for tree in nodes.trees(number, outputs, weights)]
    return Ensemble(
        source="onnx",
        feature_names=names,
        bases=tuple(to_fixed(b, "a base value") for b in bases * (outputs // len(bases))),
        trees=trees,
        link=_LINKS[transform],
        rounded=len(numbers) + 1,
        precision=FLOAT32,
        to_float32=True,
    )


class _Nodes:
    """The nodes of all trees, by (tree, number)."""

    def __init__(self, values: dict[str, Any]) -> None:
        tracks = values.get("nodes_missing_value_tracks_true") or [0] * len(values["nodes_modes"])
        rows = zip(
            values["nodes_modes"], values["nodes_featureids"],
            floats(values["nodes_values"]).tolist(), values["nodes_truenodeids"],
            values["nodes_falsenodeids"], tracks, strict=True,
        )  # fmt: skip
        keys = zip(values["nodes_treeids"], values["nodes_nodeids"], strict=True)
        self.rows = dict(zip(keys, rows, strict=True))
        self.first: dict[int, int] = {}
        for tree, node in self.rows:
            self.first.setdefault(tree, node)

    def trees(
        self, tree: int, outputs: int, weights: dict[tuple[int, int], dict[int, float]]
    ) -> list[SourceTree]:
        """The tree, once for each output it adds to."""
        order = [self.first[tree]]
        for at in order:
            mode, _, _, when_true, when_false, _ = self.rows[tree, at]
            if mode != "LEAF":
                order += [when_true, when_false]
            if len(order) > len(self.rows):
                raise ValueError(f"the nodes of tree {tree} are no tree")
        inner = [at for at in order if self.rows[tree, at][0] != "LEAF"]
        ends = [at for at in order if self.rows[tree, at][0] == "LEAF"]
        place = {at: number for number, at in enumerate(inner)}
        place |= {at: ~number for number, at in enumerate(ends)}
        splits = [self._split(tree, at, place) for at in inner]
        adds = sorted({output for at in ends for output in weights.get((tree, at), {})})
        if any(not 0 <= output < outputs for output in adds):
            raise ValueError(f"tree {tree} adds to outputs {adds} of {outputs}")
        return [
            SourceTree(
                splits,
                [to_fixed(weights.get((tree, at), {}).get(output, 0.0), "a leaf") for at in ends],
                [1] * len(ends),
                output,
            )
            for output in adds
        ]

    def _split(self, tree: int, at: int, place: dict[int, int]) -> Split:
        mode, feature, value, when_true, when_false, tracks = self.rows[tree, at]
        if mode not in _COMPARISONS:
            raise refused(f"a node compares by {mode}", "export with BRANCH_LEQ and its like")
        holds = _COMPARISONS[mode]
        with np.errstate(over="ignore"):
            before = float(np.nextafter(np.float32(value), np.float32(-math.inf)))
        borders = (before if value > -math.inf else math.nan, value)
        cuts, first_left = by_stretches(borders, lambda x: holds(x, value))
        missing_left = bool(tracks) or mode == "BRANCH_NEQ"
        return Split(
            feature, cuts, first_left, not missing_left, place[when_true], place[when_false]
        )
