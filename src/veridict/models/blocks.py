"""Lanes of trees as words that the compiled kernels read: groups of 64 lanes, blocks of groups.

A block's trees add to one output; it asks for at most KEYS keys, of which it has a list. A key
is a byte: how far the row's rank in a slot exceeds an offset, at least 0 and at most 255. A lane
asks whether it exceeds the lane's own byte; a feature with more than 255 thresholds has a
key for each 255 of them. A block's words, arrays one behind the other:

    0  where the next block is           8  number of each key, to a multiple of 8 words
    1  keys                                 for each group, 64 bytes: the key each lane asks for,
    2  groups                                 64 bytes: what it must exceed
    3  layers                               for each group, lanes whose light child is on the left
    4  arrays of lanes in a layer           for each layer, trees T and arrays [T]: the tree's
    5  output                                 lanes; those deeper than 0, 1, ...; where its leaves
                                              are, less the number of its first lane
Layer k has the k-th tree of each group that has so many; groups with more trees come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from veridict.models.lanes import LANES, Lanes
from veridict.models.tables import U64

GROUPS, KEYS = 128, 256  # of a block, at most (`kernels`)
STEP = 255  # thresholds that one key tells apart
ALIGNED = 8  # words that an instruction reads at once
FEW, MOST = 3, 6  # arrays of lanes: no more light children follow one another in 64 lanes
ALL = (1 << LANES) - 1

Key = tuple[int, int]  # slot, offset


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

    def lanes(self, number: dict[Key, int]) -> bytes:
        """The bytes of all lanes; those not in use never exceed theirs."""
        asked = [asked for _, tree in self.trees for asked in tree.asked]
        keys, free = bytes(number[_key(a)] for a in asked), LANES - len(asked)
        return keys + bytes(free) + bytes(n % STEP for _, n in asked) + b"\xff" * free


class Blocks:
    """All lanes of a model, of trees each with the output it adds to."""

    def __init__(self, trees: Sequence[tuple[Lanes, int]]) -> None:
        self._blocks: list[tuple[int, list[Group]]] = []
        for output, own in groupby(sorted(trees, key=itemgetter(1)), key=itemgetter(1)):
            groups = _groups([tree for tree, _ in own])
            self._blocks += [(output, block) for block in _blocks(groups)]
        keys = {key for _, block in self._blocks for group in block for key in group.keys}
        self.keys = sorted(keys)  # that any block asks for
        self._number = {key: number for number, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def leaves(self) -> list[int]:
        """All leaves, in the order that `words` counts on."""
        layers = (layer for _, block in self._blocks for layer in _layers(block))
        return [value for layer in layers for _, tree in layer for value in tree.values]

    def words(self, at: int, leaves_at: int) -> U64:
        """The words from `at` on, a multiple of ALIGNED, where leaves stand from `leaves_at` on."""
        found = [np.zeros(0, dtype=np.uint64)]
        for output, block in self._blocks:
            words = self._words(block, output, leaves_at)
            at += len(words)
            words[0] = at
            leaves_at += sum(len(tree.values) for group in block for _, tree in group.trees)
            found.append(words)
        return np.concatenate(found)

    def _words(self, block: list[Group], output: int, leaves_at: int) -> U64:
        """A block, but for where the next one is."""
        asked = sorted({key for group in block for key in group.keys})
        own = {key: number for number, key in enumerate(asked)}
        deepest = max(max(tree.depths) for group in block for _, tree in group.trees)
        arrays, layers = FEW if deepest < FEW else MOST, list(_layers(block))
        of_layers: list[int] = []
        for layer in layers:
            of_layers += [len(layer), *_arrays(layer, arrays)]
            for first, tree in layer:
                of_layers.append((leaves_at - first) & ALL)
                leaves_at += len(tree.values)
        lanes = np.frombuffer(b"".join(group.lanes(own) for group in block), dtype=np.uint64)
        parts = [
            _u64([0, len(own), len(block), len(layers), arrays, output, 0, 0]),
            _filled(_u64([self._number[key] for key in asked])),
            lanes,
            _filled(_u64([group.flipped for group in block] + of_layers)),
        ]
        return np.concatenate(parts)


def _key(asked: tuple[int, int]) -> Key:
    slot, number = asked
    return slot, number // STEP * STEP


def _groups(trees: list[Lanes]) -> list[Group]:
    """Groups with more trees first."""
    groups: list[Group] = []
    for tree in sorted(trees, key=lambda tree: -len(tree.asked)):
        if not groups or groups[-1].used + len(tree.asked) > LANES:
            groups.append(Group())
        groups[-1].add(tree)
    return sorted(groups, key=lambda group: -len(group.trees))


def _blocks(groups: list[Group]) -> Iterator[list[Group]]:
    block: list[Group] = []
    keys: set[Key] = set()
    for group in groups:
        if len(block) == GROUPS or len(keys | group.keys) > KEYS:
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
        deeper = [0] * MOST
        for lane, depth in enumerate(tree.depths, first):
            deeper[depth] |= 1 << lane
        for depth in reversed(range(MOST - 1)):
            deeper[depth] |= deeper[depth + 1]
        found.append(deeper)
    for depth in range(arrays):
        yield from (deeper[depth] for deeper in found)


def _u64(numbers: list[int]) -> U64:
    return np.array(numbers, dtype=np.uint64)


def _filled(words: U64) -> U64:
    """With zeros up to a multiple of ALIGNED."""
    return np.concatenate([words, np.zeros(-len(words) % ALIGNED, dtype=np.uint64)])
