"""Why a score, where inputs are multiplied: a path from the middle to the row, step by step.

The path starts where every quantised feature is 0, which is the middle of its
range, and ends at the row. What the score gains at each step belongs to the
feature that moved; the gains of a path add up to the difference between its
ends, so that, bit for bit,

    score(row) = middle(model) + the sum of all contributions

In a linear model the order of the features does not matter, but for rounding
(a unit of 2^-32). In a network it would, so the path goes in short strides, in
each of which every feature moves a part of its way: the more strides, the
closer to Aumann and Shapley's value, which has no order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from veridict.core.nouns import NO_REASON
from veridict.models.vector import LinearRuntime, MlpRuntime

I64 = NDArray[np.int64]
MOVES = 256  # of a path through a network, about
MAX_STRIDES = 16
BLOCK = 1 << 20  # numbers that paths side by side take


def middle(runtime: LinearRuntime | MlpRuntime) -> list[int]:
    """The score of every output where all quantised features are 0."""
    scores: list[int] = runtime.weigh(np.zeros((1, runtime.n_features), np.int64))[0].tolist()
    return scores


def contributions(runtime: LinearRuntime | MlpRuntime, images: NDArray[np.uint64]) -> I64:
    """Each feature's part [n, n_features] of each row's score, in units of 2^-32.

    Several outputs: of the score of the one that wins.
    """
    x = runtime.quantise(images)
    winners = runtime.weigh(x).argmax(axis=1)
    if isinstance(runtime, LinearRuntime):
        return runtime.gains(x, winners)
    strides = max(1, min(MAX_STRIDES, MOVES // runtime.n_features))
    return walked(runtime, np.zeros_like(x), x, winners, strides, np.arange(runtime.n_features))


def walked(
    network: MlpRuntime,
    starts: I64,
    ends: I64,
    outputs: NDArray[np.intp],
    strides: int,
    order: NDArray[np.intp],
) -> I64:
    """What outputs[i] gains by each feature [n, F] on the way from starts[i] to ends[i].

    Both are quantised rows [n, F]. In each stride the features move in `order`.
    """
    parts = np.empty(ends.shape, dtype=np.int64)
    rows = max(1, BLOCK // (strides * network.n_features**2))
    for first in range(0, len(ends), rows):
        block = slice(first, first + rows)
        parts[block] = _walked(network, starts[block], ends[block], outputs[block], strides, order)
    return parts


def strongest(
    runtime: LinearRuntime | MlpRuntime, images: NDArray[np.uint64], top: int
) -> tuple[NDArray[np.uint16], I64]:
    """The `top` features by magnitude of contribution, and the contributions; both [n, top].

    Equal magnitudes: the lower feature first. Where fewer features contribute,
    the rest is NO_REASON with 0.
    """
    parts = contributions(runtime, images)
    order = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :top]
    found = np.take_along_axis(parts, order, axis=1)
    features = np.full((len(parts), top), NO_REASON, dtype=np.uint16)
    strongest_parts = np.zeros((len(parts), top), dtype=np.int64)
    width = order.shape[1]
    features[:, :width] = np.where(found == 0, NO_REASON, order)
    strongest_parts[:, :width] = found
    return features, strongest_parts


def _walked(
    network: MlpRuntime,
    starts: I64,
    ends: I64,
    outputs: NDArray[np.intp],
    strides: int,
    order: NDArray[np.intp],
) -> I64:
    """`walked` for rows whose paths fit into memory side by side."""
    n, width = ends.shape
    # What a feature is after each stride [n, stride, F], rounded down; never beyond int64.
    stride = np.arange(strides + 1)[:, None]
    way = ends - starts
    whole, rest = way[:, None] // strides, way[:, None] % strides
    stops = starts[:, None] + whole * stride + rest * stride // strides
    turn = np.argsort(order)
    moved = np.tri(width, dtype=bool)[:, turn]  # [move, feature]: those whose turn has come
    at = np.where(moved, stops[:, 1:, None], stops[:, :-1, None]).reshape(-1, width)
    mine = outputs[:, None, None]
    scores = np.take_along_axis(network.weigh(at).reshape(n, strides * width, -1), mine, axis=2)
    first = np.take_along_axis(network.weigh(starts), outputs[:, None], axis=1)
    gains: I64 = np.diff(scores[..., 0], axis=1, prepend=first)
    total: I64 = gains.reshape(n, strides, width).sum(axis=1)[:, turn]
    return total
