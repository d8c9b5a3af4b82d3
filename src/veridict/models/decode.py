"""The strict reader of canonical bytes: hostile until proven canonical.

What it accepts is safe to run in every runtime: offsets stand on nodes or
leaves of their page, lead strictly forward, no path is longer than MAX_DEPTH,
no byte is unaccounted for, no sum can overflow. Time and memory are linear in
the input.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

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
        self.n_features = n_features
        start = at + COUNTS.size
        self.n_trees, self.n_nodes, self.n_leaves = COUNTS.unpack_from(page, start - COUNTS.size)
        self.nodes_at = start
        self.leaves_at = start + NODE.size * self.n_nodes
        end = self.leaves_at + LEAF.size * self.n_leaves
        if end + TAIL_BYTES > len(page):
            raise self._bad(f"counts need {end + TAIL_BYTES} bytes of {len(page)}")
        if any(page[end:]):
            raise self._bad("bytes behind the leaves are not zero")
        if self.n_trees == 0 and number > 0:
            raise self._bad("it holds no tree")
        if self.n_trees > self.n_nodes or (self.n_trees == 0) != (self.n_nodes == 0):
            raise self._bad(f"{self.n_nodes} nodes are no {self.n_trees} trees")
        self.nodes = [self._node(*raw) for raw in NODE.iter_unpack(page[start : self.leaves_at])]
        self.leaves = [raw - LEAF_BIAS for (raw,) in LEAF.iter_unpack(page[self.leaves_at : end])]

    def trees(self) -> list[Tree]:
        """Nodes and leaves dealt out to the trees that reach them, each to exactly one."""
        node_tree, node_place = self._owners(
            self.n_nodes, self.n_trees, lambda child: child if child >= 0 else None
        )
        leaf_tree, leaf_place = self._owners(
            self.n_leaves, 0, lambda child: ~child if child < 0 else None, node_tree
        )
        nodes: list[list[Node]] = [[] for _ in range(self.n_trees)]
        leaves: list[list[int]] = [[] for _ in range(self.n_trees)]
        for number, node in enumerate(self.nodes):
            left, right = (
                node_place[c] if c >= 0 else ~leaf_place[~c] for c in (node.left, node.right)
            )
            nodes[node_tree[number]].append(
                Node(node.feature, node.threshold, node.missing_right, left, right)
            )
        for number, value in enumerate(self.leaves):
            leaves[leaf_tree[number]].append(value)
        self._check_depth()
        return [Tree(tuple(n), tuple(v)) for n, v in zip(nodes, leaves, strict=True)]

    def _node(self, slot: int, threshold: int, right: int, left: int) -> Node:
        feature, missing_right = slot >> 1, bool(slot & 1)
        if feature >= self.n_features:
            raise self._bad(f"a node splits on feature {feature} of {self.n_features}")
        if threshold + missing_right > 2**64 - 1:
            raise self._bad("a threshold is beyond the largest image")
        return Node(
            feature, threshold + missing_right, missing_right, self._child(left), self._child(right)
        )

    def _child(self, offset: int) -> int:
        start, size, count = self.nodes_at, NODE.size, self.n_nodes
        if offset >= self.leaves_at:
            start, size, count = self.leaves_at, LEAF.size, self.n_leaves
        number, rest = divmod(offset - start, size)
        if rest or not 0 <= number < count:
            raise self._bad(f"offset {offset} is no node and no leaf")
        return number if start == self.nodes_at else ~number

    def _owners(
        self,
        count: int,
        roots: int,
        pick: Callable[[int], int | None],
        tree_of_node: list[int] | None = None,
    ) -> tuple[list[int], list[int]]:
        """For each node (or leaf): its tree, and its number among that tree's."""
        owner = list(range(roots)) + [-1] * (count - roots)
        tree_of = owner if tree_of_node is None else tree_of_node
        for number, node in enumerate(self.nodes):
            for child in (pick(node.left), pick(node.right)):
                if child is None:
                    continue
                if tree_of is owner and (child <= number or child < roots):
                    raise self._bad("a child does not stand behind its parent")
                if owner[child] not in (-1, tree_of[number]):
                    raise self._bad("two trees share a node or leaf")
                owner[child] = tree_of[number]
        if -1 in owner:
            raise self._bad("a node or leaf belongs to no tree")
        counts, places = [0] * self.n_trees, [0] * count
        for item, tree in enumerate(owner):
            places[item] = counts[tree]
            counts[tree] += 1
        return owner, places

    def _check_depth(self) -> None:
        depth = [1] * self.n_nodes
        for number in reversed(range(self.n_nodes)):
            for child in (self.nodes[number].left, self.nodes[number].right):
                if child >= 0:
                    depth[number] = max(depth[number], 1 + depth[child])
        if max(depth, default=0) > MAX_DEPTH:
            raise self._bad(f"a path is longer than {MAX_DEPTH} nodes")

    def _bad(self, why: str) -> BadModelBytes:
        return _bad(f"page {self.number}: {why}")


def _bad(why: str) -> BadModelBytes:
    return BadModelBytes(
        f"not canonical model bytes: {why}",
        remedy="compile the model again, or fetch the bytes from the registry",
    )
