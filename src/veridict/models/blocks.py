"""Lanes of trees as words that the compiled kernels read: groups of 64 lanes, blocks of groups.

A block's trees add to one output; it asks for at most KEYS keys, of which it has a list. A key
is a signed byte, of a feature and an offset: -128 where the feature is missing, else -127 plus
how far the row's rank exceeds the offset, at least 0 and at most STEP. A lane names a key and
what it must exceed; where missing goes right, 1 is taken from the key first, which makes -128
the highest. A feature with more than STEP thresholds has a key for each STEP of them.

A leaf is told by how far it exceeds the least of its tree, in 32 bits, and the least leaves of
a block are one sum; trees that need more bits for that have blocks of their own, with leaves
of 64 bits. A block's words, arrays one behind the other:

    0  where the next block is           8  number of each key, to a multiple of 8 words
    1  keys                                 for each group, 64 bytes: the key each lane asks for,
    2  groups                                 bit 7: less 1; 64 bytes: what it must exceed
    3  layers                               for each group, lanes whose light child is on the left
    4  arrays of lanes in a layer           for each layer, trees T and arrays [T]: lanes deeper
    5  output                                 than -1, 0, 1, ...; where its leaves are, less
    6  sum of the least leaves                the number of its first lane
    7  1 where leaves have 64 bits          leaves
Layer k has the k-th tree of each group that has so many; groups with more trees come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, repeat
from operator import itemgetter

import numpy as np

from veridict.models.lanes import LANES, Lanes
from veridict.models.tables import U64

GROUPS, KEYS = 128, 128  # of a block, at most (`kernels`)
STEP = 254  # thresholds that one key tells apart
ALIGNED = 8  # words that an instruction reads at once
DEPTHS = (3, 4, 6)  # arrays of lanes: no more than 6 light children follow one another
ALL = (1 << LANES) - 1

Key = tuple[int, int]  # feature's place, offset
Kind = tuple[int, bool]  # output, whether leaves have 64 bits


class Group:
    """Trees side by side, with the number of the first lane of each."""

    def __init__(self) -> None:
        self.trees: list[tuple[int, Lanes]] = []
        self.used = 0
        self.flipped = 0

    def add(self, tree: Lanes) -> None:
        self.trees.append((self.used, tree))
        for lane, flipped in enumerate(tree.flipped, self.used):
            self.flipped |= flipped << lane
        self.used += len(tree.asked)

    @property
    def keys(self) -> set[Key]:
        return {_key(asked) for _, tree in self.trees for asked in tree.asked}

    @property
    def arrays(self) -> int:
        deepest = max(max(tree.depths) for _, tree in self.trees)
        return next(arrays for arrays in DEPTHS if deepest < arrays)

    def lanes(self, number: dict[Key, int]) -> bytes:
        """The bytes of all lanes; those not in use never exceed theirs."""
        asked = [asked for _, tree in self.trees for asked in tree.asked]
        free = LANES - len(asked)
        right = 0xA0 if len(number) <= 32 else 0x80
        keys = bytes(number[_key(a)] | (right if a[0] & 1 else 0) for a in asked)
        bounds = bytes(n % STEP + 129 - (slot & 1) & 0xFF for slot, n in asked)
        return keys + bytes(free) + bounds + b"\x7f" * free


class Blocks:
    """All lanes of a model, of trees each with the output it adds to."""

    def __init__(self, trees: Sequence[tuple[Lanes, int]]) -> None:
        self._blocks: list[tuple[Kind, list[Group]]] = []
        kinds = [((output, _is_wide(tree)), tree) for tree, output in trees]
        kinds.sort(key=itemgetter(0))
        for kind, own in groupby(kinds, key=itemgetter(0)):
            groups = _groups([tree for _, tree in own])
            self._blocks += [(kind, block) for block in _blocks(groups)]
        keys = {key for _, block in self._blocks for group in block for key in group.keys}
        self.keys = sorted(keys)  # that any block asks for
        self._number = {key: number for number, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self._blocks)

    def words(self, at: int) -> U64:
        """The words from `at` on, a multiple of ALIGNED."""
        found = [np.zeros(0, dtype=np.uint64)]
        for kind, block in self._blocks:
            words = self._words(block, kind, at)
            at += len(words)
            words[0] = at
            found.append(words)
        return np.concatenate(found)

    def _words(self, block: list[Group], kind: Kind, at: int) -> U64:
        """A block that begins at `at`, but for where the next one is."""
        asked = sorted({key for group in block for key in group.keys})
        own = {key: number for number, key in enumerate(asked)}
        arrays, layers = block[0].arrays, list(_layers(block))
        before = _filled(_u64([self._number[key] for key in asked]))
        lanes = np.frombuffer(b"".join(group.lanes(own) for group in block), dtype=np.uint64)
        trees = sum(len(layer) for layer in layers)
        padded = sum(len(layer) + ALIGNED - 1 & -ALIGNED for layer in layers)
        told = len(block) + len(layers) + trees + padded * arrays
        (output, wide), scale = kind, 1 if kind[1] else 2
        leaves_at = scale * (at + ALIGNED + len(before) + len(lanes) + told)
        of_layers: list[int] = []
        leaves: list[int] = []
        least = 0
        for layer in layers:
            of_layers += [len(layer), *_arrays(layer, arrays)]
            for first, tree in layer:
                of_layers.append(leaves_at + len(leaves) - first + LANES & ALL)
                lowest = min(tree.values)
                least += lowest
                leaves += [value - lowest for value in tree.values]
        head = [0, len(own), len(block), len(layers), arrays, output, least & ALL, int(wide)]
        flipped = [group.flipped for group in block]
        parts = [_u64(head), before, lanes, _u64(flipped + of_layers), _leaves(leaves, wide)]
        return _filled(np.concatenate(parts))


def _key(asked: tuple[int, int]) -> Key:
    slot, number = asked
    return slot >> 1, number // STEP * STEP


def _is_wide(tree: Lanes) -> bool:
    return max(tree.values) - min(tree.values) >= 1 << 32


def _leaves(leaves: list[int], wide: bool) -> U64:
    if wide:
        return _u64(leaves)
    return np.array(leaves + [0] * (len(leaves) % 2), dtype=np.uint32).view(np.uint64)


def _groups(trees: list[Lanes]) -> list[Group]:
    """Groups with more arrays, then those with more trees, first."""
    groups: list[Group] = []
    for tree in sorted(trees, key=lambda tree: (-max(tree.depths), -len(tree.asked))):
        if not groups or groups[-1].used + len(tree.asked) > LANES:
            groups.append(Group())
        groups[-1].add(tree)
    return sorted(groups, key=lambda group: (-group.arrays, -len(group.trees)))


def _blocks(groups: list[Group]) -> Iterator[list[Group]]:
    block: list[Group] = []
    keys: set[Key] = set()
    for group in groups:
        other = block and group.arrays != block[0].arrays
        if other or len(block) == GROUPS or len(keys | group.keys) > KEYS:
            yield block
            block, keys = [], set()
        block.append(group)
        keys |= group.keys
    yield block


def _layers(block: list[Group]) -> Iterator[list[tuple[int, Lanes]]]:
    for number in range(len(block[0].trees)):
        yield [group.trees[number] for group in block if len(group.trees) > number]


def _arrays(layer: list[tuple[int, Lanes]], arrays: int) -> Iterator[int]:
    """Of each tree, its lanes, then those deeper than 0, 1, ...: `arrays` arrays."""
    found = []
    for first, tree in layer:
        deeper = [0] * DEPTHS[-1]
        for lane, depth in enumerate(tree.depths, first):
            deeper[depth] |= 1 << lane
        for depth in reversed(range(DEPTHS[-1] - 1)):
            deeper[depth] |= deeper[depth + 1]
        found.append(deeper)
    for depth in range(arrays):
        yield from (deeper[depth] for deeper in found)
        yield from repeat(0, -len(found) % ALIGNED)


def _u64(numbers: list[int]) -> U64:
    return np.array(numbers, dtype=np.uint64)


def _filled(words: U64) -> U64:
    """With zeros up to a multiple of ALIGNED."""
    return np.concatenate([words, np.zeros(-len(words) % ALIGNED, dtype=np.uint64)])
