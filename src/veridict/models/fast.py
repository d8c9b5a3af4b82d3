"""The fast interpreter of trees (Numba): one row or many, the same integers as `reference`.

Many rows are scored by masks, few by a walk down all trees at once: see `tables`.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from veridict.models.kernels import BLOCK, score_packed, score_rows
from veridict.models.layout import Tree, TreeModel
from veridict.models.masks import Grown, masked, masks
from veridict.models.tables import U64, Numbering, Walks, joined, walks

NO_MASKS = masks([])
FEW = BLOCK // 4  # rows from which on a block of masks is faster than walks


class FastTrees:
    """A model laid out for the kernels."""

    def __init__(self, model: TreeModel) -> None:
        self.trees = model.trees
        self._n_features = model.n_features
        self.numbering = Numbering.of(model)
        self._bases = model.bases
        self._outputs = [number % model.n_outputs for number in range(len(model.trees))]

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Scores [n, K] of images [n, n_features], C-contiguous."""
        scores = np.empty((len(images), len(self._bases)), dtype=np.int64)
        last = len(images) % BLOCK  # a block costs the same, however many rows it has
        many = len(images) - (last if last < FEW else 0)
        if many:
            score_rows(*self._masked, images[:many], scores[:many])
        if many < len(images):
            score_rows(self.words, NO_MASKS, images[many:], scores[many:])
        return scores

    def score_one(self, inputs: bytes) -> int:
        """What is recorded of one row of packed inputs: 8 bytes for each of the features."""
        return int(score_packed(self.words, inputs))

    def warm(self) -> None:
        """Load or compile what the first calls would."""
        features = self._n_features
        self.score_one(bytes(8 * features))
        self.scores(np.zeros((FEW, features), dtype=np.uint64))

    @cached_property
    def walks(self) -> Walks:
        """All trees as records."""
        return walks(self.trees, self._outputs, self.numbering)

    @cached_property
    def words(self) -> U64:
        """All trees as one array for the kernels."""
        return self.words_of(self.walks)

    def words_of(self, some: Walks) -> U64:
        return joined(self.numbering.ranks, some, self._bases)

    @cached_property
    def _masked(self) -> tuple[U64, U64]:
        """Trees that are too tall for masks, and all others."""
        tall: list[tuple[Tree, int]] = []
        small: list[tuple[Grown, int]] = []
        for tree, output in zip(self.trees, self._outputs, strict=True):
            pieces = masked(tree, self.numbering)
            if pieces is None:
                tall.append((tree, output))
            else:
                small += [(piece, output) for piece in pieces]
        some = walks([tree for tree, _ in tall], [o for _, o in tall], self.numbering)
        return self.words_of(some), masks(small)
