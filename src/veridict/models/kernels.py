"""The compiled kernels: rows to ranks, ranks to scores. `tables` says what they read.

All tables are one array of words with offsets at its head, and all indices are unsigned: slices
and signs would cost time at every call and load, and many seconds when this is compiled. Keep
everything that is compiled in this file: the cache looks at this file's time only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 128  # rows that masks are applied to at a time: their state stays in the nearest cache
BLOCK_BITS = np.uint64(7)

ALL = np.uint32(0xFFFF_FFFF)
NONE, ONE, TWO, THREE, FOUR, FIVE = (np.uint64(n) for n in range(6))
EIGHT, BASES = np.uint64(8), np.uint64(10)
# Of a node that is walked.
SLOT, FEATURE, RANK, LEAF = np.uint64(47), np.uint64(48), np.uint64(24), np.uint64(63)
INDEX = np.uint64((1 << 24) - 1)
# Of a node that is a mask.
MASK_SLOT, MASK_RANK, LEAF_BITS = np.uint64(48), np.uint64(32), np.uint64(5)

Kernel = Callable[..., Any]


def compiled(function: Kernel) -> Kernel:
    """numba.njit without checks; machine code is kept on disk where there is a place for it."""
    try:
        return cast(Kernel, njit(cache=True, nogil=True, boundscheck=False)(function))
    except RuntimeError:  # neither the package nor the user's cache directory can be written
        return cast(Kernel, njit(nogil=True, boundscheck=False)(function))


@intrinsic
def _lowest_bit_of(context: Any, word: Any) -> Any:
    """The number of the lowest bit of `word`, a u32 that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.cttz(arguments[0], cgutils.true_bit)
        return builder.zext(zeros, context.get_value_type(types.uint64))

    return types.uint64(types.uint32), generate


@intrinsic
def _asked_of(context: Any, leaves: Any, rank: Any, threshold: Any, mask: Any) -> Any:
    """leaves & mask where rank > threshold, else leaves; Numba would widen all to 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        leaves, rank, threshold, mask = arguments
        right = builder.icmp_unsigned(">", rank, threshold)
        return builder.and_(leaves, builder.select(right, mask, mask.type(-1)))

    return types.uint32(types.uint32, types.uint16, types.uint16, types.uint32), generate


_lowest_bit, _asked = cast(Kernel, _lowest_bit_of), cast(Kernel, _asked_of)


@compiled
def score_rows(words, masks, images, scores):  # type: ignore[no-untyped-def]
    """Writes scores [n, K] of images [n, n_features]: of the trees in `words` and in `masks`."""
    outputs, features, trees = words[0], words[1], words[5]
    for row in range(len(images)):
        for output in range(outputs):
            scores[row, output] = np.int64(words[BASES + output])
    if masks[0] > NONE:
        table = np.empty(features << (BLOCK_BITS + ONE), dtype=np.uint16)
        for first in range(0, len(images), BLOCK):
            _rank_block(words, images, first, table)
            _score_block(masks, table, scores, first)
    if trees > NONE:
        room = np.empty(FIVE * features + THREE * (trees + ONE), dtype=np.uint64)
        for row in range(len(images)):
            _key_row(words, images, row, room)
            _walk(words, room, scores, row)


@compiled
def score_packed(words, inputs):  # type: ignore[no-untyped-def]
    """What is recorded of one row of packed inputs; all trees are in `words`."""
    outputs, features, trees = words[0], words[1], words[5]
    images = np.empty((1, len(inputs) >> 3), dtype=np.uint64)
    for feature in range(images.shape[1]):
        at = np.uint64(feature) * EIGHT
        value = NONE
        for byte in range(8):
            value = value << EIGHT | np.uint64(inputs[at + np.uint64(byte)])
        images[0, feature] = value
    room = np.empty(FIVE * features + THREE * (trees + ONE), dtype=np.uint64)
    scores = np.empty((1, outputs), dtype=np.int64)
    for output in range(outputs):
        scores[0, output] = np.int64(words[BASES + output])
    _key_row(words, images, 0, room)
    _walk(words, room, scores, 0)
    if outputs == ONE:
        return scores[0, 0]
    best: Any = NONE
    for output in range(outputs):
        if scores[0, output] > scores[0, best]:
            best = output
    return np.int64(best)


@compiled
def explain_rows(words, changes, images, parts):  # type: ignore[no-untyped-def]
    """Writes what each feature that is asked for [n, F] did to each row; see `explain`."""
    features, trees = words[1], words[5]
    room = np.empty(FIVE * features + THREE * (trees + ONE), dtype=np.uint64)
    for row in range(len(images)):
        _key_row(words, images, row, room)
        _attribute(words, changes, room, parts, row)


@compiled
def _rank_block(words, images, first, table):  # type: ignore[no-untyped-def]
    """Ranks [slot, row] of BLOCK images from `first`; a binary search of all rows in step."""
    numbers, starts = words[2], words[3]
    n = min(BLOCK, len(images) - first)
    values = np.zeros(BLOCK, dtype=np.uint64)
    at = np.empty(BLOCK, dtype=np.uint64)
    for place in range(words[1]):
        feature, start = words[numbers + place], words[starts + place]
        own = words[starts + place + ONE] - start
        for row in range(n):
            values[row] = images[first + row, feature]
        for row in range(BLOCK):
            at[row] = start
        size = own
        while size > ONE:
            half = size >> ONE
            for row in range(BLOCK):
                at[row] += half if words[at[row] + half - ONE] < values[row] else NONE
            size -= half
        to = place << (BLOCK_BITS + ONE)
        for row in range(BLOCK):
            rank = at[row] - start + np.uint64(words[at[row]] < values[row])
            table[to + np.uint64(row)] = rank
            table[to + np.uint64(BLOCK + row)] = own if values[row] == NONE else rank


@compiled
def _score_block(masks, table, scores, first):  # type: ignore[no-untyped-def]
    """Adds the leaves of BLOCK rows from `first`."""
    trees, starts, outputs, values = masks[0], masks[1], masks[2], masks[3]
    leaves = np.empty(BLOCK, dtype=np.uint32)
    sums = np.zeros(scores.shape[1] * BLOCK, dtype=np.int64)
    for tree in range(trees):
        for row in range(BLOCK):
            leaves[row] = ALL
        node, stop = masks[starts + tree], masks[starts + tree + ONE]
        while node < stop:  # two at a time; the last one twice where they are odd
            a, b = masks[node], masks[min(node + ONE, stop - ONE)]
            slot_a, slot_b = a >> MASK_SLOT << BLOCK_BITS, b >> MASK_SLOT << BLOCK_BITS
            rank_a, rank_b = np.uint16(a >> MASK_RANK), np.uint16(b >> MASK_RANK)
            mask_a, mask_b = np.uint32(a), np.uint32(b)
            for row in range(BLOCK):
                left = _asked(leaves[row], table[slot_a + np.uint64(row)], rank_a, mask_a)
                leaves[row] = _asked(left, table[slot_b + np.uint64(row)], rank_b, mask_b)
            node += TWO
        to = masks[outputs + tree] << BLOCK_BITS
        leaf = values + (tree << LEAF_BITS)
        for row in range(BLOCK):
            sums[to + np.uint64(row)] += np.int64(masks[leaf + _lowest_bit(leaves[row])])
    for row in range(min(BLOCK, len(scores) - first)):
        for output in range(scores.shape[1]):
            scores[first + row, output] += sums[output * BLOCK + row]


@compiled
def _key_row(words, images, row, room):  # type: ignore[no-untyped-def]
    """The key of each slot, at the head of `room`; a binary search of all features in step."""
    features, numbers, starts = words[1], words[2], words[3]
    at, sizes, values = TWO * features, THREE * features, FOUR * features
    most = NONE
    for place in range(features):
        start = words[starts + place]
        size = words[starts + place + ONE] - start
        room[at + place], room[sizes + place] = start, size
        room[values + place] = images[row, words[numbers + place]]
        most = max(most, size)
    while most > ONE:
        for place in range(features):
            size, here = room[sizes + place], room[at + place]
            half = size >> ONE  # 0 where the search is over: then any word will do
            below = words[here + half - ONE] < room[values + place]
            room[at + place] = here + (half if below else NONE)
            room[sizes + place] = size - half
        most -= most >> ONE
    for place in range(features):
        start, here, value = words[starts + place], room[at + place], room[values + place]
        rank = here - start + np.uint64(words[here] < value)
        highest = words[starts + place + ONE] - start
        slot = TWO * place
        room[slot] = slot << SLOT | rank << RANK
        room[slot + ONE] = (slot + ONE) << SLOT | (highest if value == NONE else rank) << RANK


@compiled
def _walk(words, room, scores, row):  # type: ignore[no-untyped-def]
    """Adds one row's leaves: every tree goes a step, those at a leaf drop out, and so on."""
    trees, roots, records = words[5], words[6], words[7]
    values, outputs = words[8], words[9]
    source = FIVE * words[1]
    target = source + trees + ONE
    left = target + trees + ONE
    done, going = NONE, trees
    for tree in range(trees):
        room[source + tree] = words[roots + tree]
    while going > NONE:
        kept = NONE
        for place in range(going):
            node = room[source + place]
            then = words[records + (node & INDEX) + np.uint64(node < room[node >> SLOT])]
            ended = then >> LEAF
            room[target + kept] = then
            room[left + done] = then
            done += ended
            kept += ended ^ ONE
        going = kept
        source, target = target, source
    if words[0] == ONE:
        total = scores[row, 0]
        for place in range(done):
            total += np.int64(words[values + (room[left + place] & INDEX)])
        scores[row, 0] = total
    else:
        for place in range(done):
            leaf = room[left + place] & INDEX
            scores[row, words[outputs + leaf]] += np.int64(words[values + leaf])


@compiled
def _attribute(words, changes, room, parts, row):  # type: ignore[no-untyped-def]
    """As `_walk`; each step's change of expectation goes to the feature that was asked for."""
    trees, roots, records = words[5], words[6], words[7]
    source = FIVE * words[1]
    target = source + trees + ONE
    going = trees
    for place in range(words[1]):
        parts[row, place] = 0
    for tree in range(trees):
        room[source + tree] = words[roots + tree]
    while going > NONE:
        kept = NONE
        for place in range(going):
            node = room[source + place]
            step = (node & INDEX) + np.uint64(node < room[node >> SLOT])
            parts[row, node >> FEATURE] += changes[step]
            then = words[records + step]
            room[target + kept] = then
            kept += (then >> LEAF) ^ ONE
        going = kept
        source, target = target, source


@compiled
def strongest_of(parts, places, found):  # type: ignore[no-untyped-def]
    """Writes the places [n, top] of each row's strongest `parts` and what they are; -1 if none."""
    for row in range(len(parts)):
        for rank in range(places.shape[1]):
            best, most = 0, np.int64(0)
            for place in range(parts.shape[1]):
                if abs(parts[row, place]) > most:
                    best, most = place, abs(parts[row, place])
            if most == 0:
                break
            places[row, rank] = best
            found[row, rank] = parts[row, best]
            parts[row, best] = 0
