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
from numba import njit
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.core.nouns import NO_REASON
from veridict.models.annex import Annex

if TYPE_CHECKING:
    from veridict.models.canonical import CanonicalModel


def root_expectation(model: CanonicalModel, annex: Annex) -> int:
    """The expected score before anything is known of the row."""
    return model.trees.base + sum(tree[0] for tree in annex.expectations)


def contributions(
    model: CanonicalModel, annex: Annex, images: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Each feature's part [n, n_features] of each row's score, in units of 2^-32.

    Raises BadInput where `annex` belongs to another model.
    """
    expected = _expected(model, annex)
    fast = model.fast
    parts = np.zeros(images.shape, dtype=np.int64)
    _attribute(fast.bounds, fast.links, expected, fast.roots, images, parts)
    return parts


def strongest(
    model: CanonicalModel, annex: Annex, images: NDArray[np.uint64], top: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The `top` features by magnitude of contribution, and the contributions; both [n, top].

    Equal magnitudes: the lower feature first. Where fewer features contribute,
    the rest is NO_REASON with 0.
    """
    expected = _expected(model, annex)
    fast = model.fast
    features = np.full((len(images), top), NO_REASON, dtype=np.uint16)
    parts = np.zeros((len(images), top), dtype=np.int64)
    _strongest(fast.bounds, fast.links, expected, fast.roots, images, features, parts)
    return features, parts


_CACHE: WeakKeyDictionary[CanonicalModel, tuple[Annex, NDArray[np.int64]]] = WeakKeyDictionary()


def _expected(model: CanonicalModel, annex: Annex) -> NDArray[np.int64]:
    """The annex in the order of the fast runtime's nodes; a leaf expects its own value."""
    known = _CACHE.get(model)
    if known is not None and known[0] is annex:
        return known[1]
    trees = model.trees.trees
    if annex.model_id != model.id or [len(e) for e in annex.expectations] != [
        len(tree.nodes) for tree in trees
    ]:
        raise BadInput("the annex belongs to another model", remedy="pass the model's own annex")
    values = [
        value
        for tree, expected in zip(trees, annex.expectations, strict=True)
        for value in (*expected, *tree.leaves)
    ]
    array = np.array(values, dtype=np.int64)
    _CACHE[model] = (annex, array)
    return array


@njit(cache=True, nogil=True, boundscheck=False)
def _attribute_row(bounds, links, expected, roots, row, parts):  # type: ignore[no-untyped-def]
    for tree in range(len(roots)):
        at = roots[tree]
        while True:
            value = row[links[at, 0]] - np.uint64(links[at, 1])
            then = links[at, 2] if value <= bounds[at] else links[at, 3]
            if then == at:  # a leaf leads to itself
                break
            parts[links[at, 0]] += expected[then] - expected[at]
            at = then


@njit(cache=True, nogil=True, boundscheck=False)
def _attribute(bounds, links, expected, roots, images, parts):  # type: ignore[no-untyped-def]
    for row in range(len(images)):
        _attribute_row(bounds, links, expected, roots, images[row], parts[row])


@njit(cache=True, nogil=True, boundscheck=False)
def _strongest(bounds, links, expected, roots, images, features, parts):  # type: ignore[no-untyped-def]
    whole = np.zeros(images.shape[1], dtype=np.int64)
    for row in range(len(images)):
        whole[:] = 0
        _attribute_row(bounds, links, expected, roots, images[row], whole)
        for rank in range(features.shape[1]):
            best = 0
            for feature in range(len(whole)):
                if abs(whole[feature]) > abs(whole[best]):
                    best = feature
            if whole[best] == 0:
                break
            features[row, rank] = best
            parts[row, rank] = whole[best]
            whole[best] = 0
