"""Models of every kind in NumPy: exact int64, rows side by side.

Multiplication by weights runs in float64 where every partial sum is an integer
below 2^53: then no order of addition, and no fused multiply-add, can change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from veridict.models.image import MISSING
from veridict.models.layout import (
    MAX_ROUNDED,
    POINT,
    LinearModel,
    MlpModel,
    Model,
    Quantiser,
    TreeModel,
)

BLOCK = 1 << 15  # tree walks side by side: what they read and write fits a cache
_FRACTION = np.uint64((1 << 52) - 1)
_HIDDEN = 1 << 52  # the mantissa's leading bit, which is not stored
_MAX_PLACES = 10  # 2^52 · 2^10 reaches MAX_ROUNDED


class Runtime(Protocol):
    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Scores [n, n_outputs] of float images [n, n_features]."""


def runtime(model: Model) -> Runtime:
    if isinstance(model, TreeModel):
        return TreeRuntime(model)
    return LinearRuntime(model) if isinstance(model, LinearModel) else MlpRuntime(model)


def winner(scores: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scores [n, K] as the one number that is recorded [n]; the lowest of equal winners."""
    return scores[:, 0] if scores.shape[1] == 1 else scores.argmax(axis=1).astype(np.int64)


class TreeRuntime:
    """All trees of a block of rows are walked at once, one step of each at a time.

    Nodes of all trees stand in one table, leaves behind them. A feature has two slots: its
    image, for nodes where missing goes left, and image - 1 (mod 2^64), which sends a missing
    value (0) behind every bound, where it goes right.
    """

    def __init__(self, model: TreeModel) -> None:
        self._bases = np.array(model.bases, dtype=np.int64)
        nodes = [node for tree in model.trees for node in tree.nodes]
        leaves = [leaf for tree in model.trees for leaf in tree.leaves]
        n_nodes = np.array([len(tree.nodes) for tree in model.trees], dtype=np.intp)
        n_leaves = np.array([len(tree.leaves) for tree in model.trees], dtype=np.intp)
        self._roots = np.cumsum(n_nodes) - n_nodes
        first_node = np.repeat(self._roots, n_nodes)
        first_leaf = np.repeat(len(nodes) + np.cumsum(n_leaves) - n_leaves, n_nodes)
        missing_right = np.array([node.missing_right for node in nodes], dtype=np.intp)
        thresholds = np.array([node.threshold for node in nodes], dtype=np.uint64)
        self._bounds = thresholds - missing_right.astype(np.uint64)
        features = np.array([node.feature for node in nodes], dtype=np.intp)
        self._slots = 2 * features + missing_right
        children = np.array([(node.left, node.right) for node in nodes], dtype=np.intp)
        self._links = np.where(
            children.reshape(-1, 2) >= 0,
            children.reshape(-1, 2) + first_node[:, None],
            ~children.reshape(-1, 2) + first_leaf[:, None],
        ).ravel()
        self._leaves = np.array(leaves, dtype=np.int64)

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        scores = np.empty((len(images), len(self._bases)), dtype=np.int64)
        rows = max(1, BLOCK // max(1, len(self._roots)))
        for start in range(0, len(images), rows):
            scores[start : start + rows] = self._block(images[start : start + rows])
        return scores

    def _block(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        values = np.stack((images, images - np.uint64(1)), axis=2).ravel()
        n_rows, n_trees, n_nodes = len(images), len(self._roots), len(self._bounds)
        reached = np.empty(n_rows * n_trees, dtype=np.intp)
        walk = np.arange(n_rows * n_trees)
        node = np.tile(self._roots, n_rows)
        row = np.repeat(np.arange(n_rows) * 2 * images.shape[1], n_trees)
        while len(walk):
            goes_right = values[row + self._slots[node]] > self._bounds[node]
            node = self._links[2 * node + goes_right]
            arrived = node >= n_nodes
            reached[walk[arrived]] = node[arrived]
            going = np.flatnonzero(~arrived)
            walk, node, row = walk[going], node[going], row[going]
        leaves = self._leaves[reached - n_nodes].reshape(n_rows, -1, len(self._bases))
        total: NDArray[np.int64] = leaves.sum(axis=1) + self._bases
        return total


class LinearRuntime:
    def __init__(self, model: LinearModel) -> None:
        self.n_features = model.n_features
        self.quantise = QuantiserTable(model.inputs)
        self._bases = np.array(model.bases, dtype=np.int64)
        self._weights = np.array(model.weights, dtype=np.int64)
        self._shift = np.int64(model.shift)
        self._half = np.int64((1 << model.shift) >> 1)

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        return self.weigh(self.quantise(images))

    def weigh(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scores [n, n_outputs] of quantised rows [n, n_features]."""
        sums = x @ self._weights + self._half
        total: NDArray[np.int64] = (sums >> self._shift) + self._bases
        return total

    def gains(self, x: NDArray[np.int64], outputs: NDArray[np.intp]) -> NDArray[np.int64]:
        """What output outputs[i] gains [n, n_features] as row i's features come in one by one."""
        sums = np.cumsum(x * self._weights.T[outputs], axis=1) + self._half
        return np.diff(sums >> self._shift, axis=1, prepend=0)


class MlpRuntime:
    """No sum leaves 32 bits (`limits`), so float64 products and sums are exact."""

    def __init__(self, model: MlpModel) -> None:
        self.n_features = model.n_features
        self.quantise = QuantiserTable(model.inputs)
        self._bases = np.array(model.bases, dtype=np.int64)
        self._layers = [
            (np.array(layer.weights, dtype=np.float64), np.array(layer.biases, dtype=np.int64))
            for layer in model.layers
        ]
        self._shifts = [np.int64(layer.shift) for layer in model.layers]
        self._limits = [np.int64(layer.limit) for layer in model.layers]
        # A feature without any weight may be larger than float64 holds exactly.
        self._used = np.array([any(weights) for weights in model.layers[0].weights])

    def scores(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        return self.weigh(self.quantise(images))

    def weigh(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scores [n, n_outputs] of quantised rows [n, n_features]."""
        x = np.where(self._used, x, 0)
        for number, (weights, biases) in enumerate(self._layers):
            a = (x.astype(np.float64) @ weights).astype(np.int64) + biases
            x = np.minimum(np.maximum(a, 0) >> self._shifts[number], self._limits[number])
        total: NDArray[np.int64] = (a << self._shifts[-1]) + self._bases
        return total

    def unclamped(self, x: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of which quantised rows [n] no hidden neuron gives more than its layer's limit."""
        x = np.where(self._used, x, 0)
        free = np.ones(len(x), dtype=np.bool_)
        hidden = zip(self._layers[:-1], self._shifts, self._limits, strict=False)
        for (weights, biases), shift, limit in hidden:
            a = (x.astype(np.float64) @ weights).astype(np.int64) + biases
            given = np.maximum(a, 0) >> shift
            free &= (given <= limit).all(axis=1)
            x = np.minimum(given, limit)
        return free


class QuantiserTable:
    """The quantisers of all features, applied to images [n, n_features] at once."""

    def __init__(self, inputs: Sequence[Quantiser]) -> None:
        self._shift = np.array([q.shift - POINT for q in inputs], dtype=np.int64)
        self._offset = np.array([q.offset for q in inputs], dtype=np.int64)
        self._limit = np.array([q.limit for q in inputs], dtype=np.int64)
        self._missing = np.array([q.missing for q in inputs], dtype=np.int64)

    def __call__(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        sign = np.uint64(1 << 63)
        positive = images >= sign
        bits = np.where(positive, images ^ sign, ~images & ~sign)
        exponent = (bits >> np.uint64(52)).astype(np.int64)
        mantissa = (bits & _FRACTION).astype(np.int64) + np.where(exponent > 0, _HIDDEN, 0)
        signed = np.where(positive, mantissa, -mantissa)
        places = np.maximum(exponent, 1) + self._shift
        larger = signed << np.clip(places, 0, _MAX_PLACES)
        right = np.clip(-places, 1, 54)
        smaller = (signed + (np.int64(1) << (right - 1))) >> right
        rounded = np.clip(np.where(places >= 0, larger, smaller), -MAX_ROUNDED, MAX_ROUNDED)
        clamped = np.clip(rounded - self._offset, -self._limit, self._limit)
        return np.where(images == MISSING, self._missing, clamped)
