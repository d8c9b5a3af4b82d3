"""How source trees split, as one noun: a line of floats cut into stretches that go left or right.

A threshold is one cut. Where zero, a stand-in for missing or a set of categories goes its own
way, there are more. In the canonical model a split of n cuts becomes n nodes that share two
children: a binary search over the cuts, so a row meets at most log2(n + 1) of them, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

LEFT, RIGHT = -1, -2  # of a branch, as a step names them
_BEFORE_FLOATS = 1  # an image that belongs to no float, above missing and below them all


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a source tree, in the source's own numbers.

    `cuts` ascend. Values at most cuts[0] go left if `first_left`, those above it
    and at most cuts[1] the other way, and so on by turns. Missing values go right
    if `missing_right`. `left`, `right`: numbers of splits, or `~i` for leaf i.
    """

    feature: int
    cuts: tuple[float, ...]
    first_left: bool
    missing_right: bool
    left: int
    right: int

    def goes_right(self, value: float) -> bool:
        """The way of a value that is not missing."""
        passed = sum(1 for cut in self.cuts if not value <= cut)
        return (passed % 2 == 0) is not self.first_left


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a branch: images at most `threshold` go `below`, others `above`.

    Both are numbers of steps of the branch, or LEFT or RIGHT.
    """

    threshold: int
    missing_right: bool
    below: int
    above: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A split as canonical nodes. `left`, `right`: as of the split."""

    feature: int
    steps: tuple[Step, ...]
    left: int
    right: int


def by_stretches(
    borders: Iterable[float], goes_left: Callable[[float], bool]
) -> tuple[tuple[float, ...], bool]:
    """Cuts and first_left of a split that `goes_left` tells, constant between `borders`.

    A border is the last value of its stretch, NaN where the stretch is empty;
    `goes_left` is asked at each, and at infinity.
    """
    ends = sorted({border for border in borders if border < math.inf})
    ways = [goes_left(end) for end in (*ends, math.inf)]
    cuts = [end for end, way, then in zip(ends, ways, ways[1:], strict=False) if way != then]
    return tuple(cuts), ways[0]


def branch_of(split: Split, images: Sequence[int], missing_right: bool) -> Branch:
    """The nodes of `split`: a balanced search over the `images` of its cuts, in their order."""
    cuts = _without_empty_stretches(images)
    ways = [split.first_left is (number % 2 == 0) for number in range(len(cuts) + 1)]
    if ways == [not missing_right] or (not missing_right) not in ways:
        # All floats go one way: the other is told from them below the floats.
        cuts.insert(0, _BEFORE_FLOATS)
        ways.insert(0, not ways[0])
    goal = ways.index(not missing_right)
    steps: list[Step] = []

    def grow(low: int, high: int) -> int:
        """The first of the steps that tell stretches low to high apart."""
        if low == high:
            return LEFT if ways[low] else RIGHT
        number, middle = len(steps), (low + high) // 2
        steps.append(Step(cuts[middle], goal > middle, LEFT, RIGHT))
        below, above = grow(low, middle), grow(middle + 1, high)
        steps[number] = Step(cuts[middle], goal > middle, below, above)
        return number

    grow(0, len(cuts))
    return Branch(split.feature, tuple(steps), split.left, split.right)


def _without_empty_stretches(cuts: Sequence[int]) -> list[int]:
    kept: list[int] = []
    for cut in cuts:
        if kept and kept[-1] == cut:
            kept.pop()
        else:
            kept.append(cut)
    return kept
