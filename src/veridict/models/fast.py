"""The fast interpreter of trees (Numba): one row or many, the same integers as `reference`.

All nodes of a tree are asked at once (`lanes`); a tall tree is walked (`tables`).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from veridict.models.blocks import Blocks
from veridict.models.joined import joined
from veridict.models.kernels import score_packed, score_rows
from veridict.models.lanes import Lanes, branches, lanes
from veridict.models.layout import Tree, TreeModel
from veridict.models.tables import U64, Numbering, Walks, walks


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
        score_rows(self.words, images, scores)
        return scores

    def score_one(self, inputs: bytes) -> int:
        """What is recorded of one row of packed inputs: 8 bytes for each of the features."""
        return int(score_packed(self.words, inputs))

    def warm(self) -> None:
        """Load or compile what the first calls would."""
        self.score_one(bytes(8 * self._n_features))
        self.scores(np.zeros((1, self._n_features), dtype=np.uint64))

    @cached_property
    def walks(self) -> Walks:
        """All trees as records."""
        return walks(self.trees, self._outputs, self.numbering)

    @cached_property
    def walked(self) -> list[U64]:
        """For each output, the records of its trees for the kernels."""
        count, ranks, none = len(self._bases), self.numbering.ranks, Blocks([])
        return [
            joined(ranks, self.walks._replace(roots=self.walks.roots[k::count]), none, self._bases)
            for k in range(count)
        ]

    @cached_property
    def words(self) -> U64:
        """All trees for the kernels: records of the tall ones, lanes of all others."""
        tall: list[tuple[Tree, int]] = []
        small: list[tuple[Lanes, int]] = []
        for tree, output in zip(self.trees, self._outputs, strict=True):
            pieces = branches(tree, self.numbering)
            if pieces is None:
                tall.append((tree, output))
            else:
                small += [(lanes(piece), output) for piece in pieces]
        some = walks([tree for tree, _ in tall], [o for _, o in tall], self.numbering)
        return joined(self.numbering.ranks, some, Blocks(small), self._bases)
