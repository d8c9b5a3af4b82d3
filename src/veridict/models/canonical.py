"""A canonical model: immutable bytes, their id, and what can be asked of them.

The format is `layout` (nouns), `encode`, and `decode` (the strict reader); the
runtimes are `reference` (slow, readable), `fast` (trees, compiled) and `vector`
(all kinds, NumPy); `explain` tells why.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput, UnsupportedModel
from veridict.models.decode import decode
from veridict.models.encode import encode
from veridict.models.image import unpack
from veridict.models.layout import (
    CHUNK_BYTES,
    PAGE_SIZES,
    LinearModel,
    MlpModel,
    Model,
    TreeModel,
    chunks,
)
from veridict.models.vector import runtime, winner

if TYPE_CHECKING:
    from veridict.models.annex import Annex
    from veridict.models.fast import FastTrees
    from veridict.models.vector import Runtime

__all__ = [
    "CHUNK_BYTES",
    "PAGE_SIZES",
    "CanonicalModel",
    "LinearModel",
    "MlpModel",
    "Model",
    "TreeModel",
    "chunks",
    "decode",
    "encode",
]


class CanonicalModel:
    """One immutable model. Scores are int64 in units of 2^-32 (core.nouns.SCORE_BITS)."""

    def __init__(self, data: bytes) -> None:
        """Raises BadModelBytes unless `data` are canonical model bytes."""
        self.bytes = bytes(data)
        self.parts: Model = decode(self.bytes)
        self.id = sha256(self.bytes).digest()

    @classmethod
    def from_parts(cls, parts: Model) -> CanonicalModel:
        """Raises UnsupportedModel where `parts` exceed the format's limits."""
        return cls(encode(parts))

    @classmethod
    def from_trees(cls, trees: TreeModel) -> CanonicalModel:
        """As `from_parts`."""
        return cls(encode(trees))

    @property
    def n_features(self) -> int:
        return self.parts.n_features

    @property
    def n_outputs(self) -> int:
        return self.parts.n_outputs

    @property
    def trees(self) -> TreeModel:
        """The parts of a model of trees. Raises UnsupportedModel for another kind."""
        if isinstance(self.parts, TreeModel):
            return self.parts
        raise UnsupportedModel(
            "this model is not made of trees", remedy="ask only tree models for their trees"
        )

    def chunks(self) -> list[bytes]:
        """The bytes as data contracts hold them."""
        return chunks(self.bytes)

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """What is recorded and judged of rows [n, n_features] of float images: [n].

        One output: its score. Several: the number of the one with the highest
        score, the lowest such number.
        """
        return self._score(self._checked(images))

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The score of every output [n, n_outputs] of rows of float images."""
        checked = self._checked(images)
        if self._compiles:
            return self.fast.score(checked)[:, None]
        return self._vector.scores(checked)

    def score_one(self, inputs: bytes) -> int:
        """`score` of one row of packed inputs, 8 bytes a feature. Raises BadInput if not that."""
        rows = unpack(inputs, self.n_features)
        if len(rows) != 1:
            raise BadInput(f"{len(rows)} rows where one is scored", remedy="pass one row")
        return int(self._score(rows)[0])

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

    @cached_property
    def _vector(self) -> Runtime:
        return runtime(self.parts)

    @cached_property
    def _compiles(self) -> bool:
        """Whether the Numba kernels can run it: trees with one output, and Numba is there."""
        if not isinstance(self.parts, TreeModel) or self.n_outputs > 1:
            return False
        try:
            import numba  # noqa: F401
        except ImportError:
            return False
        return True

    def _score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        if self._compiles:
            return self.fast.score(images)
        return winner(self._vector.scores(images))

    def _checked(self, images: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if images.dtype != np.uint64 or images.ndim != 2 or images.shape[1] != self.n_features:
            raise BadInput(
                f"images are {images.dtype} {images.shape}, not uint64 [n, {self.n_features}]",
                remedy="pass image(rows), one row a line",
            )
        return np.ascontiguousarray(images)
