"""The canonical model as nouns, and its bytes: format version 1, kind trees.

    file  = page ‖ page ‖ …            pages of equal length, the last ones zero-filled
    page  = [header, first page only] ‖ counts ‖ nodes ‖ leaves ‖ zeros
    node  = 14 bytes: slot u16 │ threshold u64 │ right u16 │ left u16
    leaf  =  8 bytes: value + 2^63 as u64

docs/reference/canonical-model.md says all of it, with the reasons. In short: a
page is what the judge contract copies into memory at once; a child is the byte
offset of a node or leaf in its page, so that one step in the EVM is one load,
one comparison and one shift; the roots of a page's trees come first.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.errors import UnsupportedModel
from veridict.core.nouns import INT64_MAX, SCORE_BITS

MAGIC = b"VRDT"
VERSION = 1
KIND_TREES = 1

HEADER = struct.Struct(">4sBBBxHHHHIq4x")  # see docs: 32 bytes, one EVM word
COUNTS = struct.Struct(">HHH")  # trees, nodes, leaves of the page
NODE = struct.Struct(">HQHH")
LEAF = struct.Struct(">Q")
LEAF_BIAS = 1 << 63

CHUNK_BYTES = 24_564  # of the 24,565 a data contract holds: 12 × 2,047 = 3 × 8,188
PAGE_SIZES = (2_047, 8_188)
TAIL_BYTES = 24  # zeros that end every page: 32 bytes can be read from where any leaf begins
MAX_FEATURES = 32_767
MAX_PAGES = 65_535
MAX_TREES = 1_000_000
MAX_BYTES = 64 << 20
MAX_DEPTH = 255  # nodes on the longest path

_OVERHEAD = HEADER.size + COUNTS.size + TAIL_BYTES  # of the first page


@dataclass(frozen=True, slots=True)
class Node:
    """Rows whose image of `feature` is at most `threshold` go left, missing ones as told.

    `left` and `right` are numbers of nodes of the same tree, larger than this
    node's own, or `~i` for leaf `i`. Two nodes may share a child.
    """

    feature: int
    threshold: int  # image of the float64 threshold, u64; at least 1 if `missing_right`
    missing_right: bool
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Tree:
    """`nodes[0]` is the root; `leaves` are scores, int64 in units of 2^-SCORE_BITS."""

    nodes: tuple[Node, ...]
    leaves: tuple[int, ...]

    @property
    def size(self) -> int:
        return NODE.size * len(self.nodes) + LEAF.size * len(self.leaves)


@dataclass(frozen=True, slots=True)
class TreeModel:
    """score(row) = base + the sum of one leaf a tree. Cannot overflow int64 (`reach`)."""

    n_features: int
    base: int
    trees: tuple[Tree, ...]

    @property
    def reach(self) -> int:
        """The largest magnitude a score can have."""
        return abs(self.base) + sum(max(map(abs, tree.leaves)) for tree in self.trees)


def encode(model: TreeModel) -> bytes:
    """The canonical bytes of `model`.

    Raises UnsupportedModel where it is larger than the format's limits.
    """
    if not 1 <= model.n_features <= MAX_FEATURES:
        raise _too_big("features", model.n_features, MAX_FEATURES)
    if len(model.trees) > MAX_TREES:
        raise _too_big("trees", len(model.trees), MAX_TREES)
    if model.reach > INT64_MAX:
        raise UnsupportedModel(
            "scores could leave the int64 range", remedy="scale the target down", reach=model.reach
        )
    page_bytes, pages = _paginate(model.trees)
    if len(pages) > MAX_PAGES or len(pages) * page_bytes > MAX_BYTES:
        raise _too_big("bytes", len(pages) * page_bytes, MAX_BYTES)
    header = HEADER.pack(
        MAGIC, VERSION, KIND_TREES, SCORE_BITS, model.n_features, page_bytes,
        len(pages), 0, len(model.trees), model.base,
    )  # fmt: skip
    return b"".join(
        _page(trees, header if number == 0 else b"").ljust(page_bytes, b"\0")
        for number, trees in enumerate(pages)
    )


def chunks(model_bytes: bytes) -> list[bytes]:
    """Whole pages, at most CHUNK_BYTES a chunk; their concatenation is `model_bytes`."""
    return [
        model_bytes[start : start + CHUNK_BYTES]
        for start in range(0, len(model_bytes), CHUNK_BYTES)
    ]


def _paginate(trees: Sequence[Tree]) -> tuple[int, list[list[Tree]]]:
    """(page length, trees of each page): small pages for small models, as few as will do."""
    largest = max((tree.size for tree in trees), default=0) + _OVERHEAD
    for page_bytes in PAGE_SIZES:
        if largest > page_bytes:
            continue
        pages = _fill(trees, page_bytes)
        # Every page costs the judge some hundred gas, every byte its owner 200: once the
        # model is longer than three small pages, larger ones are cheaper to run.
        if page_bytes != PAGE_SIZES[0] or len(pages) <= 3:
            return page_bytes, pages
    raise UnsupportedModel(
        f"a tree of {largest} bytes does not fit a page of {PAGE_SIZES[-1]}",
        remedy="train trees with at most 370 leaves",
    )


def _fill(trees: Sequence[Tree], page_bytes: int) -> list[list[Tree]]:
    pages: list[list[Tree]] = [[]]
    room = page_bytes - _OVERHEAD
    for tree in trees:
        if tree.size > room:
            pages.append([])
            room = page_bytes - COUNTS.size - TAIL_BYTES
        pages[-1].append(tree)
        room -= tree.size
    return pages


def _page(trees: Sequence[Tree], header: bytes) -> bytes:
    """Roots first, then the other nodes tree by tree, then the leaves."""
    n_nodes = sum(len(tree.nodes) for tree in trees)
    n_leaves = sum(len(tree.leaves) for tree in trees)
    first_node = len(header) + COUNTS.size
    first_leaf = first_node + NODE.size * n_nodes
    roots, others, leaves = bytearray(), bytearray(), bytearray()
    next_node, next_leaf = len(trees), 0
    for tree in trees:
        # Where the tree's node 1 and leaf 0 come to stand in the page.
        node_at = first_node + NODE.size * (next_node - 1)
        leaf_at = first_leaf + LEAF.size * next_leaf
        packed = b"".join(
            NODE.pack(
                2 * node.feature + node.missing_right,
                node.threshold - node.missing_right,
                leaf_at + LEAF.size * ~node.right
                if node.right < 0
                else node_at + NODE.size * node.right,
                leaf_at + LEAF.size * ~node.left
                if node.left < 0
                else node_at + NODE.size * node.left,
            )
            for node in tree.nodes
        )
        roots += packed[: NODE.size]
        others += packed[NODE.size :]
        leaves += b"".join(LEAF.pack(value + LEAF_BIAS) for value in tree.leaves)
        next_node += len(tree.nodes) - 1
        next_leaf += len(tree.leaves)
    return header + COUNTS.pack(len(trees), n_nodes, n_leaves) + roots + others + leaves


def _too_big(what: str, value: int, limit: int) -> UnsupportedModel:
    return UnsupportedModel(
        f"{value} {what} are outside 1 to {limit}", remedy="train a smaller model", **{what: value}
    )
