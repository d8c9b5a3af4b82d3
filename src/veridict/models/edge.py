"""A runtime that needs nothing but NumPy: for small devices, and where Numba is absent.

    model = EdgeModel(Path("fraud.vdm").read_bytes())
    model.score([[12.5, float("nan"), 3.0]])    →  int64 [1]

The same integers as `reference`, from the file's bytes and float rows or
packed inputs.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veridict.core.errors import BadInput
from veridict.models.decode import decode
from veridict.models.image import image, unpack
from veridict.models.layout import Model
from veridict.models.vector import Runtime, runtime, winner

__all__ = ["EdgeModel"]


class EdgeModel:
    """One model, read from its canonical bytes. Scores are int64 in units of 2^-32."""

    def __init__(self, data: bytes) -> None:
        """Raises BadModelBytes unless `data` are canonical model bytes."""
        self.parts: Model = decode(data)
        self.id = sha256(data).digest()

    @property
    def n_features(self) -> int:
        return self.parts.n_features

    @property
    def n_outputs(self) -> int:
        return self.parts.n_outputs

    def score(self, rows: ArrayLike) -> NDArray[np.int64]:
        """What is recorded of float rows [n, n_features]: int64 [n].

        One output: its score; several: the number of the winning one.
        """
        return winner(self.scores(rows))

    def scores(self, rows: ArrayLike) -> NDArray[np.int64]:
        """The score of every output [n, n_outputs] of float rows. Raises BadInput if not those."""
        images = image(rows)
        if images.ndim != 2 or images.shape[1] != self.n_features:
            raise BadInput(
                f"rows are {images.shape}, not [n, {self.n_features}]", remedy="pass one row a line"
            )
        return self._runtime.scores(images)

    def score_packed(self, inputs: bytes) -> NDArray[np.int64]:
        """As `score`, of packed inputs (8 bytes a feature), one row after the other."""
        return winner(self._runtime.scores(unpack(inputs, self.n_features)))

    @cached_property
    def _runtime(self) -> Runtime:
        return runtime(self.parts)
