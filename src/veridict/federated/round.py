"""One round's arithmetic: from what the parties sent to the next state, and to what each earned.

    updates → groups → one mean a group → rule → step → state
                                        ↘ shares → contribution → reward

In the open mode every party is a group of its own; in the masked mode a group's sum is all
that anybody has. Given the same sums everyone finds the same state, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import Refused
from veridict.federated.fixed import I64, Update, mean
from veridict.federated.learners.learner import Learner
from veridict.federated.rules import Rule


@dataclass(frozen=True, slots=True)
class GroupSum:
    """Σ values and Σ weight over `members`, numbers of parties."""

    members: tuple[int, ...]
    values: I64
    weight: int

    @classmethod
    def of(cls, members: Sequence[int], updates: Sequence[Update]) -> GroupSum:
        """What a masked sum opens to."""
        total = np.stack([update.values for update in updates]).sum(axis=0)
        return cls(tuple(members), total, sum(update.weight for update in updates))

    @classmethod
    def opened(cls, members: Sequence[int], vector: I64) -> GroupSum:
        """Of a masked vector: the values, and behind them the weight."""
        return cls(tuple(members), vector[:-1], int(vector[-1]))


@dataclass(frozen=True, slots=True)
class Turned:
    """A round's outcome. `shares`: party → its group's part in the step, units of 2^-16."""

    state: bytes
    step: I64
    shares: dict[int, int]

    @property
    def without_say(self) -> tuple[int, ...]:
        """Parties whose group the rule gave no part."""
        return tuple(sorted(party for party, share in self.shares.items() if share == 0))


def turn(
    learner: Learner, state: bytes, sums: Sequence[GroupSum], rule: Rule, root: Update | None
) -> Turned:
    """Raises Refused where there are too few groups for the rule."""
    if not sums:
        raise Refused("nobody sent an update", remedy="open the round again")
    means = np.stack([mean(group.values, group.weight) for group in sums])
    weights = np.array([group.weight for group in sums], np.int64)
    toward = None if root is None else mean(root.values, root.weight)
    aggregate = rule.aggregate(means, weights, toward)
    shares = {
        party: share
        for group, share in zip(sums, aggregate.shares, strict=True)
        for party in group.members
    }
    return Turned(learner.moved(state, aggregate.step), aggregate.step, shares)
