"""How a card's thresholds were chosen, so that anyone can choose them again.

Costs are whole numbers in one unit, which the card does not name: money in minor units, or looks
of a person. The pooled thresholds are the card's `review_at` and `hold_at`; a segment with too
little data uses them, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.errors import BadInput
from veridict.core.nouns import Policy
from veridict.models.segments import Cut, Segmented

_LONGEST = 32  # digits of an edge


@dataclass(frozen=True, slots=True)
class Axis:
    """What is cut, and where: edges are decimals, rising."""

    feature: str
    edges: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(isinstance(self.feature, str), "an axis names no feature")
        _check(
            isinstance(self.edges, tuple)
            and all(isinstance(edge, str) and len(edge) <= _LONGEST for edge in self.edges),
            "edges are no decimals",
        )


@dataclass(frozen=True, slots=True)
class Band:
    """One segment. `own` is False where its thresholds are the pooled ones for want of data.

    `rows` and `events` are those it was chosen on; `cost` is what its thresholds cost on them,
    `pooled_cost` what the pooled ones would.
    """

    name: str
    review_at: str
    hold_at: str
    rows: int
    events: int
    own: bool
    cost: int
    pooled_cost: int

    def __post_init__(self) -> None:
        counts = (self.rows, self.events, self.cost, self.pooled_cost)
        _check(isinstance(self.name, str) and isinstance(self.own, bool), "a segment has no name")
        _check(all(map(_is_count, counts)), f"segment {self.name} has no counts")

    @property
    def policy(self) -> Policy:
        return Policy(int(self.review_at), int(self.hold_at))


@dataclass(frozen=True, slots=True)
class Choice:
    """`missed`: the cost of an event that was allowed; None where it costs its amount.

    `review`: of any row looked at; `held`: of an honest row that was held. Below `least_rows` or
    `least_events` a segment has no thresholds of its own.
    """

    missed: int | None
    review: int
    held: int
    least_rows: int = 200
    least_events: int = 20
    axes: tuple[Axis, ...] = ()
    bands: tuple[Band, ...] = ()

    def __post_init__(self) -> None:
        told = (self.review, self.held, self.least_rows, self.least_events)
        _check(self.missed is None or _is_count(self.missed), "missed is no cost")
        _check(all(map(_is_count, told)), "costs and limits are no whole numbers")

    def cuts(self, features: Sequence[str]) -> tuple[Cut, ...]:
        """By number of the feature. Raises BadInput where the model has no such feature."""
        for axis in self.axes:
            if axis.feature not in features:
                raise BadInput(
                    f"the model has no feature {axis.feature!r}",
                    remedy="cut one of the card's features",
                )
        return tuple(Cut.at(features.index(axis.feature), axis.edges) for axis in self.axes)

    def policy(self, pooled: Policy, features: Sequence[str]) -> Policy:
        """What decides: `pooled`, or by segment. Raises BadInput where axes and bands differ."""
        if not self.axes and not self.bands:
            return pooled
        return Segmented(
            pooled.review_at,
            pooled.hold_at,
            self.cuts(features),
            tuple(band.policy for band in self.bands),
        )


def names(axes: Sequence[Axis]) -> list[str]:
    """Of all segments, in their order, e.g. "amount < 100, payer_paid_30d ≥ 1"."""
    told = [""]
    for axis in axes:
        low, high = ["", *axis.edges], [*axis.edges, ""]
        bands = [_band(axis.feature, a, b) for a, b in zip(low, high, strict=True)]
        told = [f"{before}, {band}" if before else band for before in told for band in bands]
    return told


def _band(feature: str, low: str, high: str) -> str:
    if not low:
        return f"{feature} < {high}"
    return f"{feature} ≥ {low}" if not high else f"{low} ≤ {feature} < {high}"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise BadInput(
            f"not a choice of thresholds: {why}", remedy="write it with models.thresholds"
        )
