"""From a framework's trees to the canonical model: the part that all tree compilers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.core.nouns import SCORE_ONE
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.compile.cutting import Grown, grown, pieces
from veridict.models.compile.frontier import Lens
from veridict.models.compile.outcome import FLOAT64, Compiled, Link
from veridict.models.compile.splits import RIGHT, Branch, Split, branch_of
from veridict.models.layout import MAX_DEPTH, MAX_FEATURES, Node, Tree, TreeModel

_EMPTY = (Tree((Node(0, 1, False, ~0, ~0),), (0,)), (0,))  # adds nothing, and expects it


@dataclass(frozen=True, slots=True)
class SourceTree:
    """`splits[0]` is the root; `leaves` in units of 2^-SCORE_BITS; `weights` > 0, one a leaf.

    A tree without splits is its only leaf. It adds to output number `output`.
    """

    splits: Sequence[Split]
    leaves: Sequence[int]
    weights: Sequence[int]
    output: int = 0


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What a framework's model says, read but not yet compiled.

    `bases`: one an output, in units of 2^-SCORE_BITS; `rounded`: how many numbers
    of the source were rounded on the way to one output's score, at most;
    `precision`: of the source's own additions; `to_float32`: it casts its inputs.
    """

    source: str
    feature_names: tuple[str, ...]
    bases: tuple[int, ...]
    trees: Sequence[SourceTree]
    link: Link
    rounded: int
    precision: float = FLOAT64
    to_float32: bool = False


def compile_ensemble(ensemble: Ensemble, lens: Lens | None = None) -> Compiled:
    """The canonical form of `ensemble`, whose raw features are first seen through `lens`.

    Raises UnsupportedModel where it exceeds the format's limits.
    """
    bases = list(ensemble.bases)
    queues: list[list[Grown]] = [[] for _ in bases]
    branches = iter(_branches(ensemble, lens or Lens()))
    for number, tree in enumerate(ensemble.trees):
        if not 0 <= tree.output < len(bases):
            raise ValueError(f"tree {number} adds to output {tree.output} of {len(bases)}")
        if not tree.splits:
            bases[tree.output] += tree.leaves[0]
            continue
        whole = grown([next(branches) for _ in tree.splits], tree.leaves, tree.weights)
        _check_depth(whole, number)
        queues[tree.output] += pieces(whole, number)
    # With K outputs tree t adds to output t mod K; empty trees keep the turns.
    turns = zip_longest(*queues)
    trees = [_tree(piece) if piece else _EMPTY for turn in turns for piece in turn]
    n_features = len(ensemble.feature_names)
    model = CanonicalModel.from_parts(
        TreeModel(n_features, bases[0], tuple(tree for tree, _ in trees), tuple(bases[1:]))
    )
    return Compiled(
        model=model,
        annex=Annex(model.id, tuple(expected for _, expected in trees)),
        feature_names=ensemble.feature_names,
        link=ensemble.link,
        source=ensemble.source,
        error_bound=ensemble.rounded / 2,
        source_loss=(ensemble.rounded + 1) * ensemble.precision * model.parts.reach / SCORE_ONE,
    )


def named(given: Sequence[str] | None, known: Sequence[str], n_features: int) -> tuple[str, ...]:
    """The names to use: `given`, else `known`, else x0, x1, … Raises UnsupportedModel."""
    if not 1 <= n_features <= MAX_FEATURES:
        raise UnsupportedModel(
            f"{n_features} features are outside 1 to {MAX_FEATURES}",
            remedy="train on fewer features",
        )
    names = tuple(map(str, given or known)) or tuple(f"x{n}" for n in range(n_features))
    if len(names) != n_features:
        raise UnsupportedModel(
            f"{len(names)} feature names for {n_features} features",
            remedy="pass one name a feature, in training order",
        )
    return names


def whole_weights(weights: Sequence[float]) -> list[int]:
    """Weights of leaves as integers above zero, in proportion."""
    return [max(round(weight * 65536), 1) for weight in weights]


def _branches(ensemble: Ensemble, lens: Lens) -> list[Branch]:
    """All splits of all trees, in order; all cuts are imaged at once, for speed."""
    splits = [split for tree in ensemble.trees for split in tree.splits]
    cuts = np.array([cut for split in splits for cut in split.cuts], dtype=np.float64)
    if np.isnan(cuts).any():
        raise UnsupportedModel("a threshold is NaN: its rows go no way", remedy="train again")
    counts = [len(split.cuts) for split in splits]
    features = np.repeat(np.array([split.feature for split in splits], dtype=np.intp), counts)
    if any(not 0 <= split.feature < len(ensemble.feature_names) for split in splits):
        raise UnsupportedModel(
            f"it asks for features beyond its {len(ensemble.feature_names)}",
            remedy="pass the model whole, as its framework wrote it",
        )
    images = lens.images(features, cuts, ensemble.to_float32).tolist()
    ends = list(accumulate(counts, initial=0))
    missing_right = [split.missing_right for split in splits]
    if lens.fill is not None:
        missing_right = [_missing_right(split, lens, ensemble.to_float32) for split in splits]
    return [
        branch_of(split, images[start:end], right)
        for split, start, end, right in zip(splits, ends, ends[1:], missing_right, strict=False)
    ]


def _missing_right(split: Split, lens: Lens, to_float32: bool) -> bool:
    seen = lens.filled(split.feature, to_float32)
    return split.missing_right if seen != seen else split.goes_right(seen)


def _check_depth(tree: Grown, number: int) -> None:
    depths = [0] * len(tree.branches)
    for at in reversed(range(len(tree.branches))):
        branch = tree.branches[at]
        below = max((depths[c] for c in (branch.left, branch.right) if c >= 0), default=0)
        depths[at] = below + len(branch.steps).bit_length()
    if depths[0] > MAX_DEPTH:
        raise UnsupportedModel(
            f"tree {number} has paths of up to {depths[0]} nodes, the format allows {MAX_DEPTH}",
            remedy="limit the depth in training (max_depth)",
        )


def _tree(piece: Grown) -> tuple[Tree, tuple[int, ...]]:
    """The canonical tree, and the expected value of each of its nodes."""
    first = list(accumulate((len(branch.steps) for branch in piece.branches), initial=0))
    nodes: list[Node] = []
    expected: list[int] = []
    for start, branch, mean in zip(first, piece.branches, piece.means, strict=False):
        left, right = (c if c < 0 else first[c] for c in (branch.left, branch.right))
        for step in branch.steps:
            below, above = (
                start + way if way >= 0 else (right if way == RIGHT else left)
                for way in (step.below, step.above)
            )
            nodes.append(Node(branch.feature, step.threshold, step.missing_right, below, above))
            expected.append(mean)
    return Tree(tuple(nodes), tuple(piece.leaves)), tuple(expected)
