"""Several boosters on the same features become one canonical model with one more input.

The last input, `level`, says which of them answers: a tree of another level gives 0. So the
quantiles of one horizon are one model with one id, and each answer is one attested score.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from veridict.control.blocks import F64
from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE
from veridict.models.compile import Compiled, Link
from veridict.models.compile.ensemble import Ensemble, SourceTree, compile_ensemble
from veridict.models.compile.lightgbm import ensemble_of
from veridict.models.compile.splits import Split
from veridict.models.image import image

CHUNK = 65_536


def join(
    boosters: Sequence[Any], levels: Sequence[float], names: Sequence[str], level_name: str
) -> Compiled:
    """`boosters[i]` answers where the input `level_name`, behind `names`, is `levels[i]`.

    Between two levels the nearer one answers. Raises BadInput unless levels ascend, and
    UnsupportedModel where a booster cannot be compiled.
    """
    if len(boosters) != len(levels) or not levels or sorted(set(levels)) != list(levels):
        raise BadInput(
            f"{len(boosters)} models for the levels {list(levels)}",
            remedy="pass one model a level, levels ascending",
        )
    parts = [ensemble_of(booster, names) for booster in boosters]
    middles = [(low + high) / 2 for low, high in pairwise(levels)]
    trees = [
        _only_at(tree, part_number, middles, len(names))
        for part_number, part in enumerate(parts)
        for tree in part.trees
    ]
    return compile_ensemble(
        Ensemble(
            source="lightgbm",
            feature_names=(*names, level_name),
            bases=(0,),
            trees=trees,
            link=Link.IDENTITY,
            rounded=max(part.rounded for part in parts),
        )
    )


def at_levels(compiled: Compiled, rows: F64, levels: Sequence[float]) -> F64:
    """float64[n, len(levels)]: what the joined model answers for each row at each level."""
    out = np.empty((len(rows), len(levels)))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        with_level = np.empty((len(part), rows.shape[1] + 1))
        with_level[:, :-1] = part
        for column, level in enumerate(levels):
            with_level[:, -1] = level
            scores = compiled.model.score(image(with_level))
            out[start : start + len(part), column] = scores / SCORE_ONE
    return out


def _only_at(tree: SourceTree, number: int, middles: Sequence[float], feature: int) -> SourceTree:
    """The tree below a split on the level, and 0 beside it."""
    if not middles:
        return tree
    zero = ~len(tree.leaves)
    root = 1 if tree.splits else ~0
    below = [
        Split(
            s.feature, s.cuts, s.first_left, s.missing_right,
            s.left + 1 if s.left >= 0 else s.left, s.right + 1 if s.right >= 0 else s.right,
        )
        for s in tree.splits
    ]  # fmt: skip
    cuts = tuple(middles[max(number - 1, 0) : number + 1])
    gate = Split(feature, cuts, number == 0, True, root, zero)
    return SourceTree([gate, *below], [*tree.leaves, 0], [*tree.weights, sum(tree.weights)])
