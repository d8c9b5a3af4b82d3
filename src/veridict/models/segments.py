"""Thresholds by segment: a row's own features say which two thresholds its score meets.

An axis cuts one feature at rising edges into bands, each from its lower edge on and below the
next; a missing value stands in the lowest. Segments are all combinations of bands, the last axis
running fastest. Cutting is done on the exact integer images, so that everyone finds the same
segment. Where a row's inputs are not there, what any segment would decide is possible.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision, Policy
from veridict.models.image import image_of

MAX_SEGMENTS = 256
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cut:
    """One axis: feature number, and the images of its edges, rising."""

    feature: int
    edges: tuple[int, ...]

    @classmethod
    def at(cls, feature: int, edges: Sequence[str]) -> Cut:
        """Edges as decimals. Raises BadInput unless they are numbers that rise."""
        try:
            images = tuple(image_of(float(edge)) for edge in edges)
        except ValueError as problem:
            raise BadInput(f"{edges} are no numbers", remedy="write edges as decimals") from problem
        if not images or list(images) != sorted(set(images)) or images[0] == 0:
            raise BadInput(f"{list(edges)} do not rise", remedy="write each edge once, in order")
        return cls(feature, images)

    @property
    def bands(self) -> int:
        return len(self.edges) + 1


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """The thresholds of each of n rows: int64[n]."""

    review_at: I64
    hold_at: I64

    def of(self, rows: Sequence[int]) -> RowPolicy:
        return RowPolicy(self.review_at[rows], self.hold_at[rows])


@dataclass(frozen=True)
class Segmented(Policy):
    """`review_at` and `hold_at` are the pooled ones, for who does not know a row's features."""

    cuts: tuple[Cut, ...] = ()
    policies: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.policies) != segments(self.cuts) or not self.cuts:
            raise BadInput(
                f"{len(self.policies)} pairs of thresholds for {segments(self.cuts)} segments",
                remedy="give one pair a segment",
            )

    def at(self, inputs: bytes) -> Policy:
        """Of a row by its packed inputs; the pooled one where these are of another shape."""
        number = 0
        for cut in self.cuts:
            cell = inputs[8 * cut.feature : 8 * cut.feature + 8]
            if len(cell) < 8:
                return self
            number = number * cut.bands + bisect_right(cut.edges, int.from_bytes(cell, "big"))
        return self.policies[number]

    def possible(self, score: int) -> frozenset[Decision]:
        return frozenset(policy.decide(score) for policy in self.policies)

    def strictest(self) -> Policy:
        return Policy(
            min(policy.review_at for policy in self.policies),
            min(policy.hold_at for policy in self.policies),
        )

    def rows(self, images: NDArray[np.uint64]) -> RowPolicy:
        """`images`: u64 [n, n_features]."""
        numbers = segment_numbers(self.cuts, images)
        return RowPolicy(self._reviews[numbers], self._holds[numbers])

    @cached_property
    def _reviews(self) -> I64:
        return np.array([policy.review_at for policy in self.policies], np.int64)

    @cached_property
    def _holds(self) -> I64:
        return np.array([policy.hold_at for policy in self.policies], np.int64)


def segments(cuts: Sequence[Cut]) -> int:
    """How many there are. Raises BadInput for more than MAX_SEGMENTS."""
    count = 1
    for cut in cuts:
        count *= cut.bands
    if count > MAX_SEGMENTS:
        raise BadInput(f"{count} segments", remedy=f"choose at most {MAX_SEGMENTS}")
    return count


def segment_numbers(cuts: Sequence[Cut], images: NDArray[np.uint64]) -> NDArray[np.int64]:
    """int64[n]: each row's segment."""
    numbers = np.zeros(len(images), np.int64)
    for cut in cuts:
        edges = np.array(cut.edges, np.uint64)
        bands = np.searchsorted(edges, images[:, cut.feature], side="right")
        numbers = numbers * cut.bands + bands.astype(np.int64)
    return numbers


def decisions(policy: Policy, images: NDArray[np.uint64], scores: Sequence[int]) -> list[Decision]:
    """What is to be done with each row."""
    if not isinstance(policy, Segmented):
        return [policy.decide(score) for score in scores]
    rows = policy.rows(images)
    return [
        Decision.HOLD if score >= hold else Decision.REVIEW if score >= review else Decision.ALLOW
        for score, review, hold in zip(
            scores, rows.review_at.tolist(), rows.hold_at.tolist(), strict=True
        )
    ]


def row_policy(policy: Policy, images: NDArray[np.uint64]) -> Policy | RowPolicy:
    """As `measure` wants it: one pair for all rows, or one a row."""
    return policy.rows(images) if isinstance(policy, Segmented) else policy
