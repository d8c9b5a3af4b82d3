"""The writer of canonical bytes.

    trees         file = page ‖ page ‖ …         of equal length, filled up with zeros
                  page = [header ‖ bases, first page only] ‖ counts ‖ nodes ‖ leaves ‖ zeros
    linear, MLP   file = word ‖ word ‖ …         of 32 bytes, see `words`

A page is what the judge contract copies into memory at once; a child is the
byte offset of a node or leaf in its page, so that one step in the EVM is one
load, one comparison and one shift; the roots of a page's trees come first.
"""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.errors import UnsupportedModel
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
    MAX_PAGES,
    NODE,
    PAGE_SIZES,
    TAIL_BYTES,
    VERSION,
    WORD,
    LinearModel,
    Model,
    Tree,
    TreeModel,
)
from veridict.models.limits import defect
from veridict.models.words import linear_words, mlp_words

_OVERHEAD = HEADER.size + COUNTS.size + TAIL_BYTES  # of the first page


def encode(model: Model) -> bytes:
    """The canonical bytes of `model`.

    Raises UnsupportedModel where it is larger than the format's limits.
    """
    reason = defect(model)
    if reason is not None:
        raise UnsupportedModel(
            f"the format cannot hold this model: {reason}",
            remedy="train a smaller model, or scale its target or inputs down",
        )
    if isinstance(model, TreeModel):
        return _trees(model)
    linear = isinstance(model, LinearModel)
    body = linear_words(model) if isinstance(model, LinearModel) else mlp_words(model)
    bases = b"".join(map(BASE.pack, model.bases[1:]))
    bases = bases.ljust(-(-len(bases) // WORD) * WORD, b"\0")
    n_words = (HEADER.size + len(bases) + len(body)) // WORD
    _check_size(n_words, WORD)
    count = model.shift if isinstance(model, LinearModel) else len(model.layers)
    kind = KIND_LINEAR if linear else KIND_MLP
    return _header(model, kind, WORD, n_words, count) + bases + body


def _header(model: Model, kind: int, page_bytes: int, n_pages: int, count: int) -> bytes:
    return HEADER.pack(
        MAGIC, VERSION, kind, SCORE_BITS, model.n_outputs - 1, model.n_features, page_bytes,
        n_pages, 0, count, model.bases[0],
    )  # fmt: skip


def _trees(model: TreeModel) -> bytes:
    bases = b"".join(map(BASE.pack, model.more_bases))
    page_bytes, pages = _paginate(model.trees, len(bases))
    _check_size(len(pages), page_bytes)
    header = _header(model, KIND_TREES, page_bytes, len(pages), len(model.trees)) + bases
    return b"".join(
        _page(trees, header if number == 0 else b"").ljust(page_bytes, b"\0")
        for number, trees in enumerate(pages)
    )


def _paginate(trees: Sequence[Tree], bases: int) -> tuple[int, list[list[Tree]]]:
    """(page length, trees of each page): small pages for small models, as few as will do."""
    largest = max((tree.size for tree in trees), default=0) + _OVERHEAD
    for page_bytes in PAGE_SIZES:
        if largest > page_bytes:
            continue
        pages = _fill(trees, page_bytes, bases)
        # Every page costs the judge some hundred gas, every byte its owner 200: once the
        # model is longer than three small pages, larger ones are cheaper to run.
        if page_bytes != PAGE_SIZES[0] or len(pages) <= 3:
            return page_bytes, pages
    raise UnsupportedModel(
        f"a tree of {largest} bytes does not fit a page of {PAGE_SIZES[-1]}",
        remedy="train trees with at most 370 leaves",
    )


def _fill(trees: Sequence[Tree], page_bytes: int, bases: int) -> list[list[Tree]]:
    pages: list[list[Tree]] = [[]]
    room = page_bytes - _OVERHEAD - bases
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


def _check_size(n_pages: int, page_bytes: int) -> None:
    if n_pages > MAX_PAGES or n_pages * page_bytes > MAX_BYTES:
        most = min(MAX_PAGES * page_bytes, MAX_BYTES)
        raise UnsupportedModel(
            f"{n_pages * page_bytes} bytes are more than {most}", remedy="train a smaller model"
        )
