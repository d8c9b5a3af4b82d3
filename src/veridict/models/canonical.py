"""A canonical model: immutable bytes, their id, and what can be asked of them.

The format is `layout` (nouns and bytes) and `decode` (the strict reader); the
runtimes are `reference` (slow, readable) and `fast`; `explain` tells why.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.models.decode import decode
from veridict.models.image import unpack
from veridict.models.layout import CHUNK_BYTES, PAGE_SIZES, TreeModel, chunks, encode

if TYPE_CHECKING:
    from veridict.models.annex import Annex
    from veridict.models.fast import FastTrees

__all__ = ["CHUNK_BYTES", "PAGE_SIZES", "CanonicalModel", "TreeModel", "chunks", "decode", "encode"]


class CanonicalModel:
    """One immutable model. Scores are int64 in units of 2^-32 (core.nouns.SCORE_BITS)."""

    def __init__(self, data: bytes) -> None:
        """Raises BadModelBytes unless `data` are canonical model bytes."""
        self.bytes = bytes(data)
        self.trees = decode(self.bytes)
        self.id = sha256(self.bytes).digest()

    @classmethod
    def from_trees(cls, trees: TreeModel) -> CanonicalModel:
        """Raises UnsupportedModel where `trees` exceeds the format's limits."""
        return cls(encode(trees))

    @property
    def n_features(self) -> int:
        return self.trees.n_features

    def chunks(self) -> list[bytes]:
        """The bytes as data contracts hold them."""
        return chunks(self.bytes)

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Scores [n] of rows [n, n_features] of float images (`image.image`)."""
        return self.fast.score(self._checked(images))

    def score_one(self, inputs: bytes) -> int:
        """The score of one row of packed inputs, 8 bytes a feature. Raises BadInput if not that."""
        rows = unpack(inputs, self.n_features)
        if len(rows) != 1:
            raise BadInput(f"{len(rows)} rows where one is scored", remedy="pass one row")
        return int(self.fast.score(rows)[0])

    def explain(
        self, images: NDArray[np.uint64], annex: Annex, top: int = 3
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """The `top` features of each row, strongest first, and what each contributed.

        Shapes [n, top]. See `explain.contributions` for what they sum to.
        """
        from veridict.models.explain import strongest

        return strongest(self, annex, self._checked(images), top)

    @cached_property
    def fast(self) -> FastTrees:
        """The model laid out for the Numba kernels."""
        from veridict.models.fast import FastTrees  # compiles with Numba: not before it is needed

        return FastTrees(self.trees)

    def _checked(self, images: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if images.dtype != np.uint64 or images.ndim != 2 or images.shape[1] != self.n_features:
            raise BadInput(
                f"images are {images.dtype} {images.shape}, not uint64 [n, {self.n_features}]",
                remedy="pass image(rows), one row a line",
            )
        return np.ascontiguousarray(images)
