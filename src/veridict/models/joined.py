"""All that the compiled kernels read, as one array: a call costs more the more it passes.

     0  outputs, K                             8  where: value of each leaf that is walked to
     1  features that are asked for, F         9         to which output it adds
     2  where: four facts of each             10  keys
     3         kinds of features              11  where: place of each key's feature
     4  kinds                                 12         offset of each
     5  trees that are walked                 13  blocks
     6  where: root of each                   14  where: the first
     7         records                        15  base of each output

Features are searched in step with those of their kind, which have fewer than 2^n thresholds and
are padded to 2^n - 1. A feature's facts: its number; where its thresholds are; its first slot;
how many thresholds it has. A kind's: how many features it and those before it have, and 2^(n-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veridict.models.blocks import ALIGNED, Blocks
from veridict.models.tables import U64, Ranks, Walks

HEAD = 15  # words before the bases
NEVER = np.uint64(2**64 - 1)  # no image exceeds it


def joined(ranks: Ranks, walks: Walks, blocks: Blocks, bases: Sequence[int]) -> U64:
    """The array, aligned for the widest loads."""
    counts = [int(count) for count in ranks.counts]
    order = sorted(range(len(counts)), key=lambda place: counts[place].bit_length())
    alike = [(n, len(list(own))) for n, own in groupby(counts[p].bit_length() for p in order)]
    kinds = zip(accumulate(size for _, size in alike), (1 << n - 1 for n, _ in alike), strict=True)
    parts = [
        _signed(bases),
        _signed([*chain.from_iterable(kinds)]),
        *(walk.view(np.int64) for walk in walks),
        _signed([place for place, _ in blocks.keys]),
        _signed([offset for _, offset in blocks.keys]),
    ]
    at = (HEAD + np.cumsum([0, *map(len, parts)])).tolist()
    thresholds, starts = _padded(ranks, order, at[-1])
    facts = zip(ranks.features[order].tolist(), starts, order, strict=True)
    parts += [thresholds, _signed([x for f, s, p in facts for x in (f, s, 2 * p, counts[p])])]
    facts_at = at[-1] + len(thresholds)
    blocks_at = facts_at + len(parts[-1])
    blocks_at += -blocks_at % ALIGNED
    head = [len(bases), len(counts), facts_at, at[1], len(alike), len(walks.roots), *at[2:6]]
    head += [len(blocks.keys), *at[6:8], len(blocks), blocks_at]
    of_blocks = blocks.words(blocks_at)
    words = _aligned(blocks_at + len(of_blocks))
    begun = np.concatenate([_signed(head), *parts]).view(np.uint64)
    words[: len(begun)] = begun
    words[blocks_at:] = of_blocks
    return words


def _padded(ranks: Ranks, order: Sequence[int], at: int) -> tuple[NDArray[np.int64], list[int]]:
    """Thresholds feature by feature in `order`, and where each feature's begin."""
    ends = np.cumsum(ranks.counts)
    thresholds, starts = [np.zeros(0, dtype=np.uint64)], []
    for place in order:
        count = int(ranks.counts[place])
        own = np.full((1 << count.bit_length()) - 1, NEVER)
        own[:count] = ranks.thresholds[ends[place] - count : ends[place]]
        starts.append(at)
        at += len(own)
        thresholds.append(own)
    return np.concatenate(thresholds).view(np.int64), starts


def _signed(numbers: ArrayLike) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def _aligned(size: int) -> U64:
    """Zeros, of which the first stands where a line of the cache begins."""
    room = np.zeros(size + ALIGNED, dtype=np.uint64)
    first = -(room.ctypes.data // 8) % ALIGNED
    return room[first : first + size]
