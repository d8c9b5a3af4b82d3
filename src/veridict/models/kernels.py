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

from veridict.models.lookup import asked

ROWS = 128  # that a block of trees is asked about at a time
GROUPS = 128  # of trees in a block, at most
KEYS = 256  # bytes of keys that a block asks for, at most

ZERO, ONE, TWO, THREE, FOUR = (np.uint64(n) for n in range(5))
EIGHT, SIXTEEN, LANES = np.uint64(8), np.uint64(16), np.uint64(64)
BASES, BLOCK_HEAD, MOST = np.uint64(15), np.uint64(8), np.uint64(255)
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


_zeros, _asked_64, _asked_256 = cast(Kernel, _zeros_of), asked(1), asked(4)


@compiled
def score_rows(words, images, scores):  # type: ignore[no-untyped-def]
    """Writes scores [n, K] of images [n, n_features], of all trees in `words`."""
    outputs, features, trees, slots, blocks = words[0], words[1], words[5], words[10], words[13]
    count = len(images)
    for row in range(count):
        for output in range(outputs):
            scores[row, output] = np.int64(words[BASES + output])
    room = np.empty(FOUR * features + THREE * (trees + ONE) + 2 * GROUPS, dtype=np.uint64)
    keys = np.empty(KEYS + slots * np.uint64(min(count, ROWS)), dtype=np.uint8)
    for first in range(0, count, ROWS):
        end, free = min(first + ROWS, count), np.uint64(KEYS)
        for row in range(first, end):
            _rank_row(words, images, row, room)
            for slot in range(slots):
                rank, least = room[words[words[11] + slot]], words[words[12] + slot]
                keys[free + slot] = min(rank - min(rank, least), MOST)
            free += slots
            if trees > ZERO:
                _walk(words, room, scores, row)
        block = words[14]
        for _ in range(blocks):
            own = np.uint64(KEYS)
            for row in range(first, end):
                _ask_block(words, block, keys, own, room, scores, row)
                own += slots
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
def _ask_block(words, block, keys, own, room, scores, row):  # type: ignore[no-untyped-def]
    """Adds one row's leaves of the trees in a block; its keys begin at `own`."""
    slots, groups, layers = words[block + ONE], words[block + TWO], words[block + THREE]
    depths, output = words[block + FOUR], words[block + np.uint64(5)]
    at = block + BLOCK_HEAD
    lanes = at + (slots + np.uint64(7) >> THREE << THREE)
    for slot in range(slots):
        keys[slot] = keys[own + words[at + slot]]
    at = lanes + SIXTEEN * groups
    bits = FOUR * words[1] + THREE * (words[5] + ONE)
    found = bits + np.uint64(GROUPS)
    if slots <= LANES:
        for group in range(groups):
            light = _asked_64(words, lanes + SIXTEEN * group, keys)
            room[bits + group] = light ^ words[at + group]
    else:
        for group in range(groups):
            light = _asked_256(words, lanes + SIXTEEN * group, keys)
            room[bits + group] = light ^ words[at + group]
    at += groups
    total = scores[row, output]
    for _ in range(layers):
        trees, own_lanes = words[at], at + ONE
        if depths == THREE:
            _settle_3(words, own_lanes, trees, room, bits, found)
        else:
            _settle_6(words, own_lanes, trees, room, bits, found)
        leaves = own_lanes + depths * trees
        for tree in range(trees):
            total += np.int64(words[words[leaves + tree] + room[found + tree]])
        at = leaves + trees
    scores[row, output] = total


@compiled
def _left(asked, own, deeper, start):  # type: ignore[no-untyped-def]
    """The lane of this depth at which a row leaves the path that begins at `start`; see `lanes`."""
    may = asked & own & ~deeper
    return ((own & ~may) + start) & may


@compiled
def _settle_3(words, own, trees, room, bits, found):  # type: ignore[no-untyped-def]
    """The number of each tree's leaf; no leaf lies below more than three light children."""
    for tree in range(trees):
        asked, all_ = room[bits + tree], words[own + tree]
        one, two = words[own + trees + tree], words[own + TWO * trees + tree]
        start = all_ & (ZERO - all_)
        a = _left(asked, all_, one, start)
        b = _left(asked, one, two, a << ONE)
        c = _left(asked, two, ZERO, b << ONE)
        room[found + tree] = LANES - _zeros(start >> ONE | a | b | c)


@compiled
def _settle_6(words, own, trees, room, bits, found):  # type: ignore[no-untyped-def]
    """The same with six light children, the most that 64 lanes have."""
    for tree in range(trees):
        asked, all_ = room[bits + tree], words[own + tree]
        one, two = words[own + trees + tree], words[own + TWO * trees + tree]
        three, four = words[own + THREE * trees + tree], words[own + FOUR * trees + tree]
        five = words[own + np.uint64(5) * trees + tree]
        start = all_ & (ZERO - all_)
        a = _left(asked, all_, one, start)
        b = _left(asked, one, two, a << ONE)
        c = _left(asked, two, three, b << ONE)
        d = _left(asked, three, four, c << ONE)
        e = _left(asked, four, five, d << ONE)
        f = _left(asked, five, ZERO, e << ONE)
        room[found + tree] = LANES - _zeros(start >> ONE | a | b | c | d | e | f)


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
