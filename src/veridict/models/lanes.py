"""Trees as lanes of a word: all nodes of 64 lanes are asked at once, and one addition finds a way.

A node has a **heavy** child and a light one. A row's word has a bit for each lane, 1 where the row
goes to the light child. Lanes are numbered node, light subtree, heavy subtree: what a row meets
when it leaves a heavy path at lane n begins at lane n + 1, and so does the number of its leaf,
which is n + 1 for the last lane n at which it leaves a path, and 0 if it leaves none.

The depth of a lane is the number of light children on the way there. Of the path that begins at
lane s, a row passes deeper lanes, and lanes of the path's own depth where it stays. If both are
ones in a word, adding the bit of s carries to the first lane where it leaves, or past the path's
end, which does not count:

    may  = asked & (lanes of this depth)
    left = ((lanes of this depth or deeper & ~may) + s) & may        next s = left << 1

From depth to depth this gives the lanes at which the row leaves, with no branch and no dependent
load, many trees to an instruction. Where the heavy child is the one below which more light
children follow one another, there are at most six in 64 lanes. (What is asked once for all nodes
is as in QuickScorer, Lucchese et al. 2015, which keeps a mask of leaves for every node.)

A tree that shares children is first grown out, so that every leaf has one path. One with more
than LANES nodes is cut: a subtree becomes a tree of its own, below the path to it, with
a leaf of 0 wherever a row leaves the path, and leaves a 0 behind. Sums of integers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from veridict.models.layout import Tree
from veridict.models.tables import Numbering

LANES = 64  # bits of a word
LEAVES = LANES + 1
TALL = 256  # leaves from which on walking a tree is faster than asking all of its nodes


class Branch(NamedTuple):
    slot: int
    rank: int
    left: Grown
    right: Grown
    size: int  # leaves below
    depth: int  # the most light children on the way to one of them

    @property
    def heavy_right(self) -> bool:
        return _weight(self.right) > _weight(self.left)


Grown = Branch | int  # an int is a leaf's value


class Lanes(NamedTuple):
    """A tree, from its first lane on."""

    asked: list[tuple[int, int]]  # slot and number of the threshold of each lane
    flipped: list[bool]  # whether the light child is on the left
    depths: list[int]
    values: list[int]  # of the leaves, one more than lanes


def branches(tree: Tree, numbering: Numbering) -> list[Branch] | None:
    """`tree` as trees of at most LEAVES leaves whose sum it is; None where it is better walked."""
    if _paths(tree) > TALL:
        return None
    return _cut(_grown(tree, numbering))


def lanes(tree: Branch) -> Lanes:
    """`tree`, of at most LEAVES leaves, in the order of its lanes."""
    found = Lanes([], [], [], [0])
    found.values[0] = _lay(tree, 0, found)
    return found


def _lay(tree: Grown, depth: int, found: Lanes) -> int:
    """Appends `tree`; returns the value of the leaf at the end of its heavy path."""
    while not isinstance(tree, int):
        heavy_right = tree.heavy_right
        light, heavy = (tree.left, tree.right) if heavy_right else (tree.right, tree.left)
        found.asked.append((tree.slot, tree.rank))
        found.flipped.append(heavy_right)
        found.depths.append(depth)
        found.values.append(0)
        place = len(found.asked)
        found.values[place] = _lay(light, depth + 1, found)
        tree = heavy
    return tree


def _paths(tree: Tree) -> int:
    """How many leaves `tree` has once it is grown out."""
    counts = [0] * len(tree.nodes)
    for number in reversed(range(len(tree.nodes))):
        node = tree.nodes[number]
        counts[number] = sum(1 if c < 0 else counts[c] for c in (node.left, node.right))
    return counts[0]


def _grown(tree: Tree, numbering: Numbering) -> Branch:
    asked = numbering.asked(tree)
    grown: list[Branch] = []
    for (slot, rank), node in zip(reversed(asked), reversed(tree.nodes), strict=True):
        left, right = (
            tree.leaves[~c] if c < 0 else grown[len(asked) - 1 - c] for c in (node.left, node.right)
        )
        grown.append(_branch(slot, rank, left, right))
    return grown[-1]


def _branch(slot: int, rank: int, left: Grown, right: Grown) -> Branch:
    (a, m), (b, n) = _weight(left), _weight(right)
    return Branch(slot, rank, left, right, m + n, max(a, b, 1 + min(a, b)))


def _weight(tree: Grown) -> tuple[int, int]:
    return (0, 1) if isinstance(tree, int) else (tree.depth, tree.size)


def _size(tree: Grown) -> int:
    return 1 if isinstance(tree, int) else tree.size


def _cut(tree: Branch) -> list[Branch] | None:
    pieces: list[Branch] = []
    rest = _shrunk(tree, [], pieces)
    most = 2 + tree.size // 16  # a tree much like a chain falls into too many
    if isinstance(rest, Branch) and len(pieces) <= most:
        return [*pieces, rest]
    return None


def _shrunk(tree: Grown, path: list[tuple[Branch, int]], pieces: list[Branch]) -> Grown | None:
    """What is left at the end of `path` once it fits a word together with the path.

    What is cut off goes to `pieces`. None where the path alone is too long.
    """
    if isinstance(tree, int) or tree.size + len(path) <= LEAVES:
        return tree
    ways = [[*path, (tree, side)] for side in (0, 1)]
    left, right = _shrunk(tree.left, ways[0], pieces), _shrunk(tree.right, ways[1], pieces)
    if left is None or right is None:
        return None
    while _size(left) + _size(right) + len(path) > LEAVES:
        side = int(_size(right) > _size(left))
        larger = right if side else left
        if isinstance(larger, int):
            return None
        pieces.append(_below(ways[side], larger))
        left, right = (left, 0) if side else (0, right)
    return _branch(tree.slot, tree.rank, left, right)


def _below(path: Sequence[tuple[Branch, int]], piece: Branch) -> Branch:
    for asked, side in reversed(path):
        piece = _branch(asked.slot, asked.rank, *((0, piece) if side else (piece, 0)))
    return piece
