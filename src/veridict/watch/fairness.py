"""How differently groups of people are treated, in exact decimals.

"selected" is review or hold: what happens to a person that does not happen to everybody.

    selection rate          selected / rows
    true positive rate      selected events / events
    false positive rate     selected others / others
    demographic parity      largest minus smallest selection rate of an attribute's groups
    equalized odds          the larger of the two same differences of the other two rates

The names and the formulas are fairlearn's, with which the tests compare. An
attribute is what stands before ": " in a group's name; one whose groups do not
partition the rows is left out, since its groups cannot be held against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.nouns import Policy
from veridict.models.segments import RowPolicy
from veridict.watch.arrays import I8, I64
from veridict.watch.metrics import exact

SEPARATOR = ": "


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One group's counts; a rate is None where there is nothing to divide by."""

    group: str
    rows: int
    events: int
    selected: int
    selected_events: int

    @property
    def selection(self) -> Fraction | None:
        return _ratio(self.selected, self.rows)

    @property
    def true_positive(self) -> Fraction | None:
        return _ratio(self.selected_events, self.events)

    @property
    def false_positive(self) -> Fraction | None:
        return _ratio(self.selected - self.selected_events, self.rows - self.events)


@dataclass(frozen=True, slots=True)
class Attribute:
    """The groups of one attribute, in alphabetical order; together they are all `rows`."""

    name: str
    rows: int
    groups: tuple[GroupRates, ...]

    @property
    def demographic_parity_difference(self) -> Decimal | None:
        return _rounded(_spread([group.selection for group in self.groups]))

    @property
    def equalized_odds_difference(self) -> Decimal | None:
        """Groups without events, or without others, have no say in the rate they lack."""
        spreads = (
            _spread([group.true_positive for group in self.groups]),
            _spread([group.false_positive for group in self.groups]),
        )
        return _rounded(max((s for s in spreads if s is not None), default=None))


def fairness(
    groups: Sequence[tuple[str, ...]], scores: I64, labels: I8, policy: Policy | RowPolicy
) -> tuple[Attribute, ...]:
    """Every attribute that partitions the labelled rows, alphabetically.

    `groups`: each row's, as `Scenario.groups` names them. `labels`: unknown ones are left out.
    """
    known = np.flatnonzero(labels >= 0)
    names = [groups[index] for index in known.tolist()]
    selected = (scores >= policy.review_at)[known]
    return tuple(
        Attribute(attribute, len(known), _rates(members, selected, labels[known]))
        for attribute, members in sorted(_partitions(names).items())
    )


def _partitions(names: Sequence[tuple[str, ...]]) -> dict[str, list[str]]:
    """Attribute → each row's group, for attributes of which every row has exactly one group."""
    found: dict[str, list[str]] = {}
    for groups in names:
        for group in groups:
            found.setdefault(group.partition(SEPARATOR)[0], []).append(group)
    return {
        attribute: members
        for attribute, members in found.items()
        if all(
            sum(group.partition(SEPARATOR)[0] == attribute for group in groups) == 1
            for groups in names
        )
    }


def _rates(
    members: list[str], selected: np.ndarray[Any, Any], labels: I8
) -> tuple[GroupRates, ...]:
    of = np.array(members)
    rates = []
    for group in sorted(set(members)):
        here = of == group
        chosen = selected & here
        rates.append(
            GroupRates(
                group=group,
                rows=int(here.sum()),
                events=int(labels[here].sum()),
                selected=int(chosen.sum()),
                selected_events=int(labels[chosen].sum()),
            )
        )
    return tuple(rates)


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _spread(rates: list[Fraction | None]) -> Fraction | None:
    known = [rate for rate in rates if rate is not None]
    return max(known) - min(known) if known else None


def _rounded(value: Fraction | None) -> Decimal | None:
    return None if value is None else exact(value)
