"""The compiled kernels: rows to ranks, ranks to scores. `tables` and `lanes` say what they read.

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

from veridict.models.lookup import asked, half_word, settled

ROWS = 128  # that a block of trees is asked about at a time
GROUPS = 128  # of trees in a block, at most
KEYS = 128  # bytes of keys that a block asks for, at most

ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN = (np.uint64(n) for n in range(8))
EIGHT, SIXTEEN, LANES = np.uint64(8), np.uint64(16), np.uint64(64)
THIRTY_TWO, BASES, BLOCK_HEAD = np.uint64(32), np.uint64(15), np.uint64(8)
MOST, PRESENT, MISSING = np.uint64(254), np.uint64(129), np.uint8(128)  # of a key
# Of a node that is walked.
SLOT, FEATURE, RANK, LEAF = np.uint64(47), np.uint64(48), np.uint64(24), np.uint64(63)
INDEX = np.uint64((1 << 24) - 1)

Kernel = Callable[..., Any]


def compiled(function: Kernel) -> Kernel:
    """numba.njit without checks; machine code is kept on disk where there is a place for it."""
    try:
        return cast(Kernel, njit(cache=True, nogil=True, boundscheck=False)(function))
    except RuntimeError:  # neither the package nor the user's cache directory can be written
        return cast(Kernel, njit(nogil=True, boundscheck=False)(function))


@intrinsic
def _zeros_of(context: Any, word: Any) -> Any:
    """How many zeros `word`, a u64, begins with; 64 of 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], cgutils.false_bit)

    return types.uint64(types.uint64), generate


_zeros, _half = cast(Kernel, _zeros_of), cast(Kernel, half_word)
_asked_32, _asked_64, _asked_128 = asked(2), asked(4), asked(8)
_settled_3, _settled_4, _settled_6 = settled(3), settled(4), settled(6)


@compiled
def score_rows(words, images, scores):  # type: ignore[no-untyped-def]
    """Writes scores [n, K] of images [n, n_features], of all trees in `words`."""
    outputs, features, trees, asked, blocks = words[0], words[1], words[5], words[10], words[13]
    count = len(images)
    for row in range(count):
        for output in range(outputs):
            scores[row, output] = np.int64(words[BASES + output])
    room = np.empty(FOUR * features + THREE * (trees + ONE) + 2 * GROUPS, dtype=np.uint64)
    stride = LANES if asked <= THIRTY_TWO else asked
    keys = np.empty(KEYS + stride * np.uint64(min(count, ROWS)) + KEYS, dtype=np.uint8)
    for first in range(0, count, ROWS):
        end, free = min(first + ROWS, count), np.uint64(KEYS)
        for row in range(first, end):
            _rank_row(words, images, row, room)
            _make_keys(words, room, keys, free)
            free += stride
            if trees > ZERO:
                _walk(words, room, scores, row)
        block = words[14]
        for _ in range(blocks):
            own = np.uint64(KEYS)
            for row in range(first, end):
                _ask_block(words, block, keys, own, room, scores, row)
                own += stride
            block = words[block]


@compiled
def score_packed(words, inputs):  # type: ignore[no-untyped-def]
    """What is recorded of one row of packed inputs."""
    outputs = words[0]
    images = np.empty((1, len(inputs) >> 3), dtype=np.uint64)
    for feature in range(images.shape[1]):
        at = np.uint64(feature) * EIGHT
        value = ZERO
        for byte in range(8):
            value = value << EIGHT | np.uint64(inputs[at + np.uint64(byte)])
        images[0, feature] = value
    scores = np.empty((1, outputs), dtype=np.int64)
    score_rows(words, images, scores)
    if outputs == ONE:
        return scores[0, 0]
    best: Any = ZERO
    for output in range(outputs):
        if scores[0, output] > scores[0, best]:
            best = output
    return np.int64(best)


@compiled
def explain_rows(words, changes, images, parts):  # type: ignore[no-untyped-def]
    """Writes what each feature that is asked for [n, F] did to each row; see `explain`."""
    features, trees = words[1], words[5]
    room = np.empty(FOUR * features + THREE * (trees + ONE), dtype=np.uint64)
    for row in range(len(images)):
        _rank_row(words, images, row, room)
        _attribute(words, changes, room, parts, row)


@compiled
def _rank_row(words, images, row, room):  # type: ignore[no-untyped-def]
    """The rank in each slot, at the head of `room`; a binary search of like features in step."""
    features, asked, kinds = words[1], words[2], words[3]
    at, values = TWO * features, THREE * features
    for place in range(features):
        room[at + place] = words[asked + FOUR * place + ONE]
        room[values + place] = images[row, words[asked + FOUR * place]]
    first = ZERO
    for _ in range(words[4]):
        end, half = words[kinds], words[kinds + ONE]
        while half > ZERO:
            for place in range(first, end):
                here = room[at + place]
                below = words[here + half - ONE] < room[values + place]
                room[at + place] = here + (half if below else ZERO)
            half >>= ONE
        first = end
        kinds += TWO
    for place in range(features):
        fact = asked + FOUR * place
        rank, slot = room[at + place] - words[fact + ONE], words[fact + TWO]
        room[slot] = rank
        room[slot + ONE] = words[fact + THREE] if room[values + place] == ZERO else rank


@compiled
def _make_keys(words, room, keys, free):  # type: ignore[no-untyped-def]
    """A ranked row's keys, from `free` on."""
    places, offsets = words[11], words[12]
    for number in range(words[10]):
        slot, offset = TWO * words[places + number], words[offsets + number]
        rank = room[slot]
        key = np.uint8(min(rank - min(rank, offset), MOST) + PRESENT)
        keys[free + number] = key if rank == room[slot + ONE] else MISSING
    if words[10] <= THIRTY_TWO:
        _add_less(keys, free, words[10])


@compiled
def _add_less(keys, own, asked):  # type: ignore[no-untyped-def]
    """Behind at most 32 keys the same less 1."""
    for number in range(asked):
        keys[own + THIRTY_TWO + number] = keys[own + number] - np.uint8(1)


@compiled
def _ask_block(words, block, keys, own, room, scores, row):  # type: ignore[no-untyped-def]
    """Adds one row's leaves of the trees in a block; its keys begin at `own`."""
    asked, groups, layers = words[block + ONE], words[block + TWO], words[block + THREE]
    depths, output, wide = words[block + FOUR], words[block + FIVE], words[block + SEVEN] == ONE
    at = block + BLOCK_HEAD
    lanes = at + (asked + SEVEN >> THREE << THREE)
    if asked < words[10]:
        for number in range(asked):
            keys[number] = keys[own + words[at + number]]
        own = ZERO
        if asked <= THIRTY_TWO:
            _add_less(keys, own, asked)
    at = lanes + SIXTEEN * groups
    bits = FOUR * words[1] + THREE * (words[5] + ONE)
    found = bits + np.uint64(GROUPS)
    if asked <= THIRTY_TWO:
        for group in range(groups):
            room[bits + group] = words[at + group] ^ _asked_32(
                words, lanes + SIXTEEN * group, keys, own
            )
    elif asked <= LANES:
        for group in range(groups):
            room[bits + group] = words[at + group] ^ _asked_64(
                words, lanes + SIXTEEN * group, keys, own
            )
    else:
        for group in range(groups):
            room[bits + group] = words[at + group] ^ _asked_128(
                words, lanes + SIXTEEN * group, keys, own
            )
    at += groups
    total = scores[row, output] + np.int64(words[block + SIX])
    for _ in range(layers):
        trees, own_lanes = words[at], at + ONE
        step = trees + SEVEN >> THREE << THREE
        if depths == THREE:
            for tree in range(0, trees, EIGHT):
                _settled_3(words, own_lanes + tree, step, room, bits + tree, found + tree)
        elif depths == FOUR:
            for tree in range(0, trees, EIGHT):
                _settled_4(words, own_lanes + tree, step, room, bits + tree, found + tree)
        else:
            for tree in range(0, trees, EIGHT):
                _settled_6(words, own_lanes + tree, step, room, bits + tree, found + tree)
        leaves = own_lanes + depths * step
        if wide:
            for tree in range(trees):
                leaf = words[leaves + tree] - _zeros(room[found + tree])
                total += np.int64(words[leaf])
        else:
            for tree in range(trees):
                leaf = words[leaves + tree] - _zeros(room[found + tree])
                total += np.int64(_half(words, leaf))
        at = leaves + trees
    scores[row, output] = total


@compiled
def _walk(words, room, scores, row):  # type: ignore[no-untyped-def]
    """Adds one row's leaves: every tree goes a step, those at a leaf drop out, and so on."""
    trees, roots, records = words[5], words[6], words[7]
    values, outputs = words[8], words[9]
    source = FOUR * words[1]
    target = source + trees + ONE
    left = target + trees + ONE
    done, going = ZERO, trees
    for tree in range(trees):
        room[source + tree] = words[roots + tree]
    while going > ZERO:
        kept = ZERO
        for place in range(going):
            node = room[source + place]
            key = node >> SLOT << SLOT | room[node >> SLOT] << RANK
            then = words[records + (node & INDEX) + np.uint64(node < key)]
            ended = then >> LEAF
            room[target + kept] = then
            room[left + done] = then
            done += ended
            kept += ended ^ ONE
        going = kept
        source, target = target, source
    for place in range(done):
        leaf = room[left + place] & INDEX
        scores[row, words[outputs + leaf]] += np.int64(words[values + leaf])


@compiled
def _attribute(words, changes, room, parts, row):  # type: ignore[no-untyped-def]
    """As `_walk`; each step's change of expectation goes to the feature that was asked for."""
    trees, roots, records = words[5], words[6], words[7]
    source = FOUR * words[1]
    target = source + trees + ONE
    going = trees
    for place in range(words[1]):
        parts[row, place] = 0
    for tree in range(trees):
        room[source + tree] = words[roots + tree]
    while going > ZERO:
        kept = ZERO
        for place in range(going):
            node = room[source + place]
            key = node >> SLOT << SLOT | room[node >> SLOT] << RANK
            step = (node & INDEX) + np.uint64(node < key)
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
