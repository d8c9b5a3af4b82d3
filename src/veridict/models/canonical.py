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
    Tree,
    TreeModel,
    chunks,
)
from veridict.models.starting import StartingTrees
from veridict.models.vector import LinearRuntime, MlpRuntime, runtime, winner

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

    @property
    def annexed(self) -> tuple[Tree, ...]:
        """The trees that the model's annex tells about; none of another kind."""
        return self.parts.trees if isinstance(self.parts, TreeModel) else ()

    def chunks(self) -> list[bytes]:
        """The bytes as data contracts hold them."""
        return chunks(self.bytes)

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """What is recorded and judged of rows [n, n_features] of float images: [n].

        One output: its score. Several: the number of the one with the highest
        score, the lowest such number.
        """
        return winner(self._runtime.scores(self._checked(images)))

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The score of every output [n, n_outputs] of rows of float images."""
        return self._runtime.scores(self._checked(images))

    def score_one(self, inputs: bytes) -> int:
        """`score` of one row of packed inputs, 8 bytes a feature. Raises BadInput if not that."""
        if len(inputs) != 8 * self.n_features:
            rows = len(unpack(inputs, self.n_features))
            raise BadInput(f"{rows} rows where one is scored", remedy="pass one row")
        runtime = self._runtime
        if isinstance(runtime, StartingTrees) and runtime.loaded is not None:
            return runtime.loaded.score_one(inputs)
        return int(winner(runtime.scores(unpack(inputs, self.n_features)))[0])

    def explain(
        self, images: NDArray[np.uint64], annex: Annex, top: int = 3
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """The `top` features of each row, strongest first, and what each contributed.

        Shapes [n, top]. See `explain.contributions` for what they sum to, and
        `paths.contributions` for kinds other than trees, which need no annex.
        """
        checked = self._checked(images)
        if isinstance(self._runtime, LinearRuntime | MlpRuntime):
            from veridict.models import paths

            return paths.strongest(self._runtime, checked, top)
        from veridict.models.explain import strongest

        return strongest(self, annex, checked, top)

    @property
    def fast(self) -> FastTrees:
        """The model laid out for the Numba kernels, which are loaded where they are not yet."""
        return self._starting.load()

    @cached_property
    def _runtime(self) -> Runtime:
        return self._starting if isinstance(self.parts, TreeModel) else runtime(self.parts)

    @cached_property
    def _starting(self) -> StartingTrees:
        return StartingTrees(self.trees)

    def _checked(self, images: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if images.dtype != np.uint64 or images.ndim != 2 or images.shape[1] != self.n_features:
            raise BadInput(
                f"images are {images.dtype} {images.shape}, not uint64 [n, {self.n_features}]",
                remedy="pass image(rows), one row a line",
            )
        return np.ascontiguousarray(images)
