"""Why a score: exact path attribution, in the integers of the score itself.

A row starts at the root expectation and walks down each tree; at every step
the expectation changes from the node's to the child's, and the change belongs
to the feature that was asked. Summed over steps and trees,

    score(row) = root_expectation + the sum of all contributions      (bit exact)

(Saabas 2014. Unlike Shapley values it follows only the path taken: it tells
what moved this score, not what each feature is worth to the model.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.core.nouns import NO_REASON
from veridict.models.annex import Annex
from veridict.models.kernels import explain_rows, strongest_of
from veridict.models.tables import steps

if TYPE_CHECKING:
    from veridict.models.canonical import CanonicalModel


def root_expectation(model: CanonicalModel, annex: Annex, output: int = 0) -> int:
    """The expected score of `output` before anything is known of the row."""
    expectations = annex.expectations[output :: model.n_outputs]
    return model.trees.bases[output] + sum(tree[0] for tree in expectations)


def contributions(
    model: CanonicalModel, annex: Annex, images: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Each feature's part [n, n_features] of each row's score, in units of 2^-32.

    Several outputs: of the score of the one that wins. Raises BadInput where
    `annex` belongs to another model.
    """
    features = model.fast.numbering.ranks.features.astype(np.intp)
    parts = np.zeros(images.shape, dtype=np.int64)
    parts[:, features] = _parts(model, annex, images)
    return parts


def strongest(
    model: CanonicalModel, annex: Annex, images: NDArray[np.uint64], top: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The `top` features by magnitude of contribution, and the contributions; both [n, top].

    Equal magnitudes: the lower feature first. Where fewer features contribute,
    the rest is NO_REASON with 0.
    """
    places = np.full((len(images), top), -1, dtype=np.intp)
    parts = np.zeros((len(images), top), dtype=np.int64)
    strongest_of(_parts(model, annex, images), places, parts)
    features = [*model.fast.numbering.ranks.features.tolist(), NO_REASON]  # at place -1
    return np.array(features, dtype=np.uint16)[places], parts


def _parts(model: CanonicalModel, annex: Annex, images: NDArray[np.uint64]) -> NDArray[np.int64]:
    """As `contributions`, of the features that any tree asks for."""
    changes = _changes(model, annex)
    fast = model.fast
    parts = np.empty((len(images), len(fast.numbering.ranks.features)), dtype=np.int64)
    if model.n_outputs == 1:
        explain_rows(fast.walked[0], changes, images, parts)
        return parts
    winners = model.score(images)
    for output in np.unique(winners).tolist():
        rows = np.flatnonzero(winners == output)
        found = parts[rows]
        explain_rows(fast.walked[output], changes, images[rows], found)
        parts[rows] = found
    return parts


_CACHE: WeakKeyDictionary[CanonicalModel, tuple[Annex, NDArray[np.int64]]] = WeakKeyDictionary()


def _changes(model: CanonicalModel, annex: Annex) -> NDArray[np.int64]:
    """What each step of a walk does to the expectation; a leaf expects its own value."""
    known = _CACHE.get(model)
    if known is not None and known[0] is annex:
        return known[1]
    trees = model.trees.trees
    if annex.model_id != model.id or [len(e) for e in annex.expectations] != [
        len(tree.nodes) for tree in trees
    ]:
        raise BadInput("the annex belongs to another model", remedy="pass the model's own annex")
    changes = np.zeros(len(model.fast.walks.records), dtype=np.int64)
    for place, tree, node, child in steps(trees):
        expected = annex.expectations[tree]
        then = expected[child] if child >= 0 else trees[tree].leaves[~child]
        changes[place] = then - expected[node]
    _CACHE[model] = (annex, changes)
    return changes
