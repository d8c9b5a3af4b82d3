"""The Merkle tree of RFC 6962 §2.1 / RFC 9162 §2.1: hashes, roots, strict verifiers.

    leaf   SHA-256(0x00 ‖ body)
    node   SHA-256(0x01 ‖ left ‖ right), left the largest full power of two below the size

Hashes are 32 bytes; a proof is a sequence of hashes, nearest to the leaf first.
Every verifier raises EvidenceError and returns nothing: no result can be
forgotten. They check ranges and lengths before they hash, since a verifier that
only folds the proof accepts indexes and sizes that no tree has.

Subtrees are ranges [start, end) as in Merkle Tree Certificates
(draft-ietf-plants-merkle-tree-certs §4): `start` is a multiple of the least
power of two that is not below `end - start`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NoReturn

from veridict.core.errors import EvidenceError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
MAX_SIZE = 2**64 - 1  # sizes are uint64 in every published format

_REMEDY = "do not trust the record; ask its keeper for a proof against this very root"


def leaf_hash(body: bytes) -> bytes:
    return sha256(b"\x00" + body).digest()


def leaf_hashes(bodies: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each, with the loop where Python runs it fastest."""
    return [sha256(b"\x00" + body).digest() for body in bodies]


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def pair_up(row: bytes, height: int = 1) -> bytes:
    """The nodes `height` levels above a row of hashes laid back to back, as tiles hold them.

    Shape: 2^height · n hashes in, n out.
    """
    for _ in range(height):
        pairs = range(0, len(row), 2 * HASH_BYTES)
        row = b"".join([sha256(b"\x01" + row[i : i + 2 * HASH_BYTES]).digest() for i in pairs])
    return row


def fold(roots: Sequence[bytes]) -> bytes:
    """Root over the roots of full subtrees, largest first; EMPTY_ROOT for none."""
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def root_from_leaf_hashes(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree with these leaves; EMPTY_ROOT for none."""
    edge = CompactRange()
    edge.extend(hashes)
    return edge.root()


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """The leaf with hash `leaf` stands at `index` among the `size` leaves under `root`."""
    # 1. the position exists, 2. every hash that is hashed again has 32 bytes (else bytes could
    #    move from one side of a node to the other), 3. the proof has the one right length
    if not 0 <= index < size <= MAX_SIZE:
        _fail("proof.inclusion", f"there is no leaf {index} in a tree of {size}")
    _check_hashes("proof.inclusion", (leaf, *proof))
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        _fail(
            "proof.inclusion",
            f"leaf {index} of {size} needs {inner + border} hashes, the proof has {len(proof)}",
        )
    # 4. folding the proof from the leaf gives the root: below the border the index says on
    #    which side the sibling stands, above it the leaf hangs on the right edge
    node = leaf
    for level in range(inner):
        sibling = proof[level]
        node = node_hash(sibling, node) if index >> level & 1 else node_hash(node, sibling)
    for sibling in proof[inner:]:
        node = node_hash(sibling, node)
    if node != root:
        _fail("proof.inclusion", f"leaf {index} is not under this root of {size} leaves")


def verify_consistency(
    size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]
) -> None:
    """The tree (size2, root2) extends (size1, root1). Refuses size1 = 0, which proves nothing."""
    if not 0 < size1 <= size2 <= MAX_SIZE:
        _fail("proof.consistency", f"no tree of {size2} can be shown to extend one of {size1}")
    verify_subtree_consistency(0, size1, size2, root1, root2, proof)


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """The leaf stands at `index` of the log, inside the subtree [start, end) with `root`."""
    if not (is_subtree(start, end) and start <= index < end):
        _fail("proof.inclusion", f"leaf {index} is in no subtree [{start}, {end})")
    verify_inclusion(index - start, end - start, leaf, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """`subtree_root` is the root of leaves [start, end) of the tree (size, root).

    An empty range is consistent with any tree: only EMPTY_ROOT and no proof are accepted.
    """
    finding = "proof.consistency"
    if not 0 <= start <= end <= size <= MAX_SIZE:
        _fail(finding, f"[{start}, {end}) is no range of a tree of {size}")
    _check_hashes(finding, proof)
    if start == end:
        if proof or subtree_root != EMPTY_ROOT:
            _fail(finding, "an empty range has the empty root and no proof")
        return
    if not is_subtree(start, end):
        _fail(finding, f"[{start}, {end}) is not a subtree")
    if _fold_consistency(start, end, size, subtree_root, proof) != (subtree_root, root):
        _fail(finding, f"the tree of {size} does not extend leaves [{start}, {end})")


def is_subtree(start: int, end: int) -> bool:
    """Whether [start, end) is a non-empty range that some tree holds under one node."""
    if not 0 <= start < end <= MAX_SIZE:
        return False
    return start & ((1 << (end - start - 1).bit_length()) - 1) == 0


def _fold_consistency(
    start: int, end: int, size: int, subtree_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The subtree's and the tree's root that `proof` leads to (RFC 9162 §2.1.4.2, generalised)."""
    first, last, top = start, end - 1, size - 1
    # climb to the highest node that ends where the subtree ends
    while first != last and (last & 1 or last == top):
        first, last, top = first >> 1, last >> 1, top >> 1
    rest = list(proof)
    if first == last:  # the subtree is itself that node
        small = large = subtree_root
    elif rest:
        small = large = rest.pop(0)
    else:
        _fail("proof.consistency", "the proof is empty")
    for sibling in rest:
        if top == 0:
            _fail("proof.consistency", f"the proof has {len(proof)} hashes, which are too many")
        if last & 1 or last == top:
            if first < last:
                small = node_hash(sibling, small)
            large = node_hash(sibling, large)
            while not last & 1:  # a right edge without sibling moves up unchanged
                first, last, top = first >> 1, last >> 1, top >> 1
        else:
            large = node_hash(large, sibling)
        first, last, top = first >> 1, last >> 1, top >> 1
    if top != 0:
        _fail("proof.consistency", f"the proof has {len(proof)} hashes, which are too few")
    return small, large


def _check_hashes(finding: str, hashes: Sequence[bytes]) -> None:
    for item in hashes:
        if len(item) != HASH_BYTES:
            _fail(finding, f"a hash has {len(item)} bytes instead of {HASH_BYTES}")


def _fail(finding: str, message: str) -> NoReturn:
    raise EvidenceError(message, remedy=_REMEDY, finding=finding)


class CompactRange:
    """The right edge of a growing tree: roots of its full subtrees, largest first.

    Appends in amortised O(1) and keeps O(log n) hashes, so a log of any length
    can be replayed in constant memory.

    >>> edge = CompactRange()
    >>> edge.extend([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
    >>> edge.size, len(edge.nodes)
    (3, 2)
    """

    __slots__ = ("nodes", "size")

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        size, nodes = self.size, self.nodes
        while size & 1:  # every trailing one is a full subtree that the leaf completes
            leaf = sha256(b"\x01" + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)
        self.size += 1

    def extend(self, hashes: Iterable[bytes]) -> None:
        for leaf in hashes:
            self.append(leaf)

    def root(self) -> bytes:
        """Root of all leaves so far; EMPTY_ROOT before the first."""
        return fold(self.nodes)
