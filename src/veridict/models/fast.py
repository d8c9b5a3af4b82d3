"""The fast interpreter (Numba): one row or many, the same integers as `reference`.

A walk is a chain of dependent loads, so a processor waits rather than works.
Two ways around it, by the number of rows: LANES rows go down one tree side by
side, or, where rows are few, LANES trees are walked by one row side by side.
Leaves are nodes that lead to themselves, so that lanes need not agree on depth.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from veridict.models.layout import TreeModel

LANES = 8

# A row goes left at node n where images[feature] - shift (mod 2^64) <= bounds[n], with
# (feature, shift, left, right) = links[n]. shift is 1 where missing (0) goes right, else 0.


class FastTrees:
    """A model laid out for the kernels below."""

    def __init__(self, model: TreeModel) -> None:
        self.base = np.int64(model.base)
        self.n_features = model.n_features
        nodes: list[tuple[int, int, int, int, int]] = []
        values: list[int] = []
        roots: list[int] = []
        depths: list[int] = []
        for tree in model.trees:
            first, first_leaf = len(nodes), len(nodes) + len(tree.nodes)
            roots.append(first)
            depth = [1] * len(tree.nodes)
            for number in reversed(range(len(tree.nodes))):
                node = tree.nodes[number]
                for child in (node.left, node.right):
                    if child >= 0:
                        depth[number] = max(depth[number], 1 + depth[child])
            depths.append(depth[0])
            for node in tree.nodes:
                left, right = (
                    first + c if c >= 0 else first_leaf + ~c for c in (node.left, node.right)
                )
                shift = int(node.missing_right)
                nodes.append((node.threshold - shift, node.feature, shift, left, right))
            nodes += [(0, 0, 0, first_leaf + i, first_leaf + i) for i in range(len(tree.leaves))]
            values += [0] * len(tree.nodes) + list(tree.leaves)
        table = np.array(nodes, dtype=np.uint64).reshape(-1, 5)
        self.bounds = np.ascontiguousarray(table[:, 0])
        self.links = np.ascontiguousarray(table[:, 1:], dtype=np.int32)
        self.values = np.array(values, dtype=np.int64)
        # Trees of like depth side by side: lanes that finish together waste nothing.
        order = np.argsort(depths, kind="stable")
        self.roots = np.array(roots, dtype=np.int32)[order]
        self.depths = np.array(depths, dtype=np.int32)[order]

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Scores [n] of images [n, n_features], C-contiguous."""
        scores = np.full(len(images), self.base, dtype=np.int64)
        _walk(self.bounds, self.links, self.values, self.roots, self.depths, images, scores)
        return scores


@njit(cache=True, nogil=True, boundscheck=False)
def _walk(bounds, links, values, roots, depths, images, scores):  # type: ignore[no-untyped-def]
    full = len(images) - len(images) % LANES
    for start in range(0, full, LANES):
        _walk_rows(bounds, links, values, roots, depths, images, scores, start)
    for row in range(full, len(images)):
        scores[row] += _walk_trees(bounds, links, values, roots, depths, images[row])


@njit(cache=True, nogil=True, boundscheck=False)
def _walk_rows(bounds, links, values, roots, depths, images, scores, start):  # type: ignore[no-untyped-def]
    """Rows start to start + LANES, down each tree together."""
    at = np.empty(LANES, dtype=np.int32)
    for tree in range(len(roots)):
        for lane in range(LANES):
            at[lane] = roots[tree]
        for _ in range(depths[tree]):
            for lane in range(LANES):
                n = at[lane]
                value = images[start + lane, links[n, 0]] - np.uint64(links[n, 1])
                at[lane] = links[n, 2] if value <= bounds[n] else links[n, 3]
        for lane in range(LANES):
            scores[start + lane] += values[at[lane]]


@njit(cache=True, nogil=True, boundscheck=False)
def _walk_trees(bounds, links, values, roots, depths, row):  # type: ignore[no-untyped-def]
    """The sum of one row's leaves, LANES trees together."""
    at = np.empty(LANES, dtype=np.int32)
    total = np.int64(0)
    for first in range(0, len(roots), LANES):
        lanes = min(LANES, len(roots) - first)
        for lane in range(lanes):
            at[lane] = roots[first + lane]
        for _ in range(depths[first + lanes - 1]):  # the deepest: they are sorted
            for lane in range(lanes):
                n = at[lane]
                value = row[links[n, 0]] - np.uint64(links[n, 1])
                at[lane] = links[n, 2] if value <= bounds[n] else links[n, 3]
        for lane in range(lanes):
            total += values[at[lane]]
    return total
