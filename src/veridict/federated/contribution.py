"""What each party's part was worth, and what it is paid for it.

Leave-one-out: how much worse the round's state would be on the hold-out without the party.
Shapley values paid parties without data in our trials, since a random update helps a bad
coalition; what an update adds to all the others does not. The hold-out is drawn by randomness
that is known only after all updates are committed, so nobody trains for it. Losses are
integers in units of 2^-32 of the mean log loss, floored at 0 when they are paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from veridict.core.nouns import SCORE_ONE
from veridict.federated.fixed import F64, Update
from veridict.federated.learners.learner import Learner, Rows
from veridict.federated.round import GroupSum, turn
from veridict.federated.rules import Rule


def draw_rows(beacon: bytes, rows: Rows, count: int) -> Rows:
    """`count` rows, drawn by the order of SHA-256(beacon ‖ row number)."""
    order = sorted(range(len(rows)), key=lambda i: sha256(beacon + i.to_bytes(8, "big")).digest())
    chosen = np.array(sorted(order[:count]))
    return Rows(rows.features[chosen], rows.labels[chosen])


def log_loss(log_odds: F64, rows: Rows) -> int:
    """The mean log loss in units of 2^-32."""
    signed = np.where(rows.labels == 1, -log_odds, log_odds)
    return round(float(np.logaddexp(0.0, signed).mean()) * SCORE_ONE)


def leave_one_out(
    learner: Learner,
    state: bytes,
    sums: Sequence[GroupSum],
    rule: Rule,
    root: Update | None,
    held: Rows,
) -> dict[int, int]:
    """Party → the loss that its group's part takes off, in units of 2^-32; below 0 it harmed.

    A group's worth is shared evenly among its members. A rule that needs every group it has
    can leave none out: then all are worth the same, 0.
    """

    def loss(groups: Sequence[GroupSum]) -> int:
        return log_loss(
            learner.scores(turn(learner, state, groups, rule, root).state, held.features), held
        )

    if len(sums) < 2 or len(sums) - 1 < rule.least:
        return {party: 0 for group in sums for party in group.members}
    whole = loss(sums)
    return {
        party: (loss([other for other in sums if other is not group]) - whole) // len(group.members)
        for group in sums
        for party in group.members
    }


def rewards(worth: Mapping[int, int], stakes: Mapping[int, int], pot: int) -> dict[int, int]:
    """Party → its part of `pot`, in proportion to its worth, floored at 0, at most its stake.

    What a cap leaves over stays in the pot: it is not given to others, who would gain by
    splitting one party into several.
    """
    total = sum(max(0, value) for value in worth.values())
    if total == 0:
        return dict.fromkeys(worth, 0)
    return {
        party: min(pot * max(0, value) // total, stakes.get(party, 0))
        for party, value in worth.items()
    }
