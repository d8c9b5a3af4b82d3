"""A model at work: canonical bytes to decide by, and the annex to say why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel


@dataclass(frozen=True, slots=True)
class WorkingModel:
    """`explain` needs no annex from its caller; otherwise as `CanonicalModel`."""

    model: CanonicalModel
    annex: Annex

    @classmethod
    def load(cls, model: bytes, annex: bytes) -> WorkingModel:
        """Raises BadModelBytes unless both are what they should be and belong together."""
        canonical = CanonicalModel(model)
        return cls(canonical, Annex.decode(annex, canonical.id, canonical.annexed))

    @property
    def id(self) -> bytes:
        return self.model.id

    @property
    def n_features(self) -> int:
        return self.model.n_features

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        return self.model.score(images)

    def explain(self, images: NDArray[np.uint64]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        return self.model.explain(images, self.annex)
