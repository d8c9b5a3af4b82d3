"""The strict reader of canonical bytes: hostile until proven canonical.

What it accepts is safe to run in every runtime: offsets stand on nodes or
leaves of their page, lead strictly forward, no path is longer than MAX_DEPTH,
no byte is unaccounted for, no sum can overflow. Time and memory are linear in
the input.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadModelBytes
from veridict.core.nouns import SCORE_BITS
from veridict.models.layout import (
    BASE,
    COUNTS,
    HEADER,
    KIND_LINEAR,
    KIND_MLP,
    KIND_TREES,
    LEAF,
    LEAF_BIAS,
    MAGIC,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FEATURES,
    MAX_OUTPUTS,
    MAX_TREES,
    NODE,
    PAGE_SIZES,
    TAIL_BYTES,
    VERSION,
    WORD,
    Model,
    Node,
    Tree,
    TreeModel,
)
from veridict.models.limits import defect
from veridict.models.words import read_linear, read_mlp

_NODE = np.dtype([("slot", ">u2"), ("threshold", ">u8"), ("right", ">u2"), ("left", ">u2")])
_PAGE_SIZES = {KIND_TREES: PAGE_SIZES, KIND_LINEAR: (WORD,), KIND_MLP: (WORD,)}


def decode(data: bytes) -> Model:
    """The model whose canonical bytes are `data`. Raises BadModelBytes for anything else."""
    if not HEADER.size <= len(data) <= MAX_BYTES:
        raise _bad(f"{len(data)} bytes are not {HEADER.size} to {MAX_BYTES}")
    magic, version, kind, bits, more, n_features, page_bytes, n_pages, zero, count, base = (
        HEADER.unpack_from(data)
    )
    if magic != MAGIC:
        raise _bad(f"magic is {magic.hex()}, not {MAGIC.hex()}")
    if version != VERSION or kind not in _PAGE_SIZES or bits != SCORE_BITS:
        raise _bad(f"version {version}, kind {kind}, score bits {bits} are unknown")
    if zero or any(data[HEADER.size - 4 : HEADER.size]):
        raise _bad("reserved bytes are not zero")
    if more >= MAX_OUTPUTS:
        raise _bad(f"{more + 1} outputs are more than {MAX_OUTPUTS}")
    if not 1 <= n_features <= MAX_FEATURES:
        raise _bad(f"{n_features} features are not 1 to {MAX_FEATURES}")
    if page_bytes not in _PAGE_SIZES[kind]:
        raise _bad(f"page length {page_bytes} is none of {_PAGE_SIZES[kind]}")
    if n_pages == 0 or len(data) != n_pages * page_bytes:
        raise _bad(f"{len(data)} bytes are not {n_pages} pages of {page_bytes}")
    bases = (base, *_more_bases(data, more))
    start = HEADER.size + BASE.size * more
    model: Model
    if kind == KIND_TREES:
        model = _trees(data, n_features, page_bytes, bases, count)
    else:
        words = -(-start // WORD) * WORD
        if any(data[start:words]):
            raise _bad("bytes behind the bases are not zero")
        read = read_linear if kind == KIND_LINEAR else read_mlp
        model = read(data[words:], n_features, bases, count)
    reason = defect(model)
    if reason is not None:
        raise _bad(reason)
    return model


def _more_bases(data: bytes, more: int) -> tuple[int, ...]:
    if HEADER.size + BASE.size * more > len(data):
        raise _bad(f"{more + 1} outputs do not fit {len(data)} bytes")
    return struct.unpack_from(f">{more}q", data, HEADER.size)


def _trees(
    data: bytes, n_features: int, page_bytes: int, bases: tuple[int, ...], n_trees: int
) -> TreeModel:
    if n_trees > MAX_TREES:
        raise _bad(f"{n_trees} trees are more than {MAX_TREES}")
    trees: list[Tree] = []
    for number in range(len(data) // page_bytes):
        page = data[number * page_bytes : (number + 1) * page_bytes]
        start = HEADER.size + BASE.size * (len(bases) - 1) if number == 0 else 0
        trees += _Page(page, number, start, n_features).trees()
    if len(trees) != n_trees:
        raise _bad(f"pages hold {len(trees)} trees, the header says {n_trees}")
    return TreeModel(n_features, bases[0], tuple(trees), bases[1:])


class _Page:
    """One page being read. Its counts stand at byte `at`, behind header and bases if any."""

    def __init__(self, page: bytes, number: int, at: int, n_features: int) -> None:
        self.number = number
        self.n_trees, self.n_nodes, self.n_leaves = COUNTS.unpack_from(page, at)
        self.nodes_at = at + COUNTS.size
        self.leaves_at = self.nodes_at + NODE.size * self.n_nodes
        end = self.leaves_at + LEAF.size * self.n_leaves
        if end + TAIL_BYTES > len(page):
            raise self._bad(f"counts need {end + TAIL_BYTES} bytes of {len(page)}")
        if any(page[end:]):
            raise self._bad("bytes behind the leaves are not zero")
        if self.n_trees == 0 and number > 0:
            raise self._bad("it holds no tree")
        if self.n_trees > self.n_nodes or (self.n_trees == 0) != (self.n_nodes == 0):
            raise self._bad(f"{self.n_nodes} nodes are no {self.n_trees} trees")
        nodes = np.frombuffer(page, _NODE, self.n_nodes, self.nodes_at)
        leaves = np.frombuffer(page, ">u8", self.n_leaves, self.leaves_at).tolist()
        self.leaves: list[int] = [value - LEAF_BIAS for value in leaves]
        self.features, self.missing_right, self.thresholds = self._questions(nodes, n_features)
        self.left, self.right = self._children(nodes["left"]), self._children(nodes["right"])

    def trees(self) -> list[Tree]:
        """Nodes and leaves dealt out to the trees that reach them, each to exactly one."""
        node_tree, leaf_tree = self._owners()
        node_place, leaf_place = self._places(node_tree), self._places(leaf_tree)
        nodes: list[list[Node]] = [[] for _ in range(self.n_trees)]
        leaves: list[list[int]] = [[] for _ in range(self.n_trees)]
        for tree, feature, threshold, missing_right, left, right in zip(
            node_tree, self.features, self.thresholds, self.missing_right, self.left, self.right,
            strict=True,
        ):  # fmt: skip
            left = node_place[left] if left >= 0 else ~leaf_place[~left]
            right = node_place[right] if right >= 0 else ~leaf_place[~right]
            nodes[tree].append(Node(feature, threshold, missing_right, left, right))
        for tree, value in zip(leaf_tree, self.leaves, strict=True):
            leaves[tree].append(value)
        return [Tree(tuple(n), tuple(v)) for n, v in zip(nodes, leaves, strict=True)]

    def _questions(
        self, nodes: NDArray[Any], n_features: int
    ) -> tuple[list[int], list[bool], list[int]]:
        """Of each node: the feature it asks for, whether missing goes right, its threshold."""
        features, missing_right = nodes["slot"] >> 1, (nodes["slot"] & 1).astype(bool)
        largest = int(features.max(initial=0))
        if largest >= n_features:
            raise self._bad(f"a node splits on feature {largest} of {n_features}")
        if (missing_right & (nodes["threshold"] == 2**64 - 1)).any():
            raise self._bad("a threshold is beyond the largest image")
        thresholds = nodes["threshold"].astype(np.uint64) + missing_right.astype(np.uint64)
        return features.tolist(), missing_right.tolist(), thresholds.tolist()

    def _children(self, stored: NDArray[Any]) -> list[int]:
        """Numbers of nodes, or `~i` for leaf i of the page, from offsets."""
        offsets = stored.astype(np.int64)
        node, node_rest = np.divmod(offsets - self.nodes_at, NODE.size)
        leaf, leaf_rest = np.divmod(offsets - self.leaves_at, LEAF.size)
        is_node = (node_rest == 0) & (node >= 0) & (node < self.n_nodes)
        is_leaf = (leaf_rest == 0) & (leaf >= 0) & (leaf < self.n_leaves)
        if not (is_node | is_leaf).all():
            offset = offsets[~(is_node | is_leaf)][0]
            raise self._bad(f"offset {offset} is no node and no leaf")
        children: list[int] = np.where(is_node, node, ~leaf).tolist()
        return children

    def _owners(self) -> tuple[list[int], list[int]]:
        """The tree of each node and of each leaf.

        A parent stands before its children, so one pass knows a node's tree, and the longest
        path to it, before its children ask.
        """
        node_tree = list(range(self.n_trees)) + [-1] * (self.n_nodes - self.n_trees)
        leaf_tree = [-1] * self.n_leaves
        depths = [1] * self.n_nodes
        for number, children in enumerate(zip(self.left, self.right, strict=True)):
            tree, depth = node_tree[number], depths[number] + 1
            if tree < 0:
                raise self._bad("a node or leaf belongs to no tree")
            for child in children:
                if child >= 0 and (child <= number or child < self.n_trees):
                    raise self._bad("a child does not stand behind its parent")
                owners, place = (node_tree, child) if child >= 0 else (leaf_tree, ~child)
                if owners[place] not in (-1, tree):
                    raise self._bad("two trees share a node or leaf")
                owners[place] = tree
                if child >= 0 and depth > depths[child]:
                    depths[child] = depth
        if -1 in leaf_tree:
            raise self._bad("a node or leaf belongs to no tree")
        if max(depths, default=0) > MAX_DEPTH:
            raise self._bad(f"a path is longer than {MAX_DEPTH} nodes")
        return node_tree, leaf_tree

    def _places(self, owners: list[int]) -> list[int]:
        """The number of each node (or leaf) among those of its tree."""
        counts, places = [0] * self.n_trees, []
        for tree in owners:
            places.append(counts[tree])
            counts[tree] += 1
        return places

    def _bad(self, why: str) -> BadModelBytes:
        return _bad(f"page {self.number}: {why}")


def _bad(why: str) -> BadModelBytes:
    return BadModelBytes(
        f"not canonical model bytes: {why}",
        remedy="compile the model again, or fetch the bytes from the registry",
    )
