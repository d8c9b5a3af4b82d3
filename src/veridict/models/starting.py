"""Trees from the first row on: NumPy at once, compiled kernels as soon as it pays to load them.

Both give the same integers, so nobody can tell by a score which of them ran. Loading
Numba takes longer than NumPy needs for the first rows; whoever scores only those never waits.
"""

from __future__ import annotations

import threading
from functools import cached_property
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from veridict.models.layout import TreeModel
from veridict.models.vector import TreeRuntime

if TYPE_CHECKING:
    from veridict.models.fast import FastTrees

PATIENCE_S = 0.25  # of scoring with NumPy, then loading begins beside it
MANY = 1 << 20  # rows × trees for which loading is waited for


class StartingTrees:
    """A runtime of trees; thread-safe."""

    def __init__(self, model: TreeModel) -> None:
        self._model = model
        self._spent_s = 0.0
        self._lock = threading.Lock()
        self._loading = False
        self.loaded: FastTrees | None = None

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Scores [n, K] of images [n, n_features], C-contiguous."""
        many = len(images) * len(self._model.trees) >= MANY
        if self.loaded is None and many and _HAS_NUMBA:
            self.load()
        if self.loaded is not None:
            return self.loaded.scores(images)
        vector = self._vector
        began = perf_counter()
        scores = vector.scores(images)
        self._spent_s += perf_counter() - began
        if self._spent_s > PATIENCE_S and _HAS_NUMBA:
            self._load_beside()
        return scores

    def load(self) -> FastTrees:
        """The compiled runtime, once it is there. Raises ImportError without Numba."""
        with self._lock:
            if self.loaded is None:
                from veridict.models.fast import FastTrees

                loaded = FastTrees(self._model)
                loaded.warm()
                self.loaded = loaded
            return self.loaded

    def _load_beside(self) -> None:
        with self._lock:
            begun, self._loading = self._loading or self.loaded is not None, True
        if not begun:
            threading.Thread(target=self.load, name="load compiled kernels").start()

    @cached_property
    def _vector(self) -> TreeRuntime:
        return TreeRuntime(self._model)


_HAS_NUMBA = find_spec("numba") is not None
