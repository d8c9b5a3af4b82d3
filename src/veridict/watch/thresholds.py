"""Two thresholds chosen by what mistakes cost, on rows the model was not fitted to."""

from __future__ import annotations

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, Policy
from veridict.watch.arrays import I8, I64
from veridict.watch.scenario import Costs


def choose(scores: I64, labels: I8, costs: Costs) -> Policy:
    """The policy with the least total cost on these rows; ties go to fewer interventions.

    A row below review_at costs `missed` if it is an event; a row looked at costs `review`;
    a row held costs `held` if it is honest. Raises BadInput without both kinds of rows.
    """
    known = labels >= 0
    scores, labels = scores[known], labels[known]
    if not 0 < int(labels.sum()) < len(labels):
        raise BadInput(
            "thresholds need rows with the event and rows without",
            remedy="pass a longer stream, or check which column holds the label",
        )
    order = np.argsort(scores, kind="stable")
    ranked, events = scores[order], labels[order].astype(np.int64)
    cuts = _cuts(ranked)
    below = np.searchsorted(ranked, cuts, side="left")  # rows below each cut
    events_below = np.append(0, np.cumsum(events))[below]
    rows_from = len(ranked) - below
    honest_from = rows_from - (int(events.sum()) - events_below)
    review_cost = costs.missed * events_below + costs.review * rows_from
    hold_cost = costs.held * honest_from - costs.review * rows_from
    # the best review_at up to each hold_at, then the best hold_at
    hold = _highest_least(np.minimum.accumulate(review_cost) + hold_cost)
    review = _highest_least(review_cost[: hold + 1])
    return Policy(review_at=int(cuts[review]), hold_at=int(cuts[hold]))


def _cuts(ranked: I64) -> I64:
    """A cut below all rows, between every two distinct scores (halfway), and above all.

    Halfway, so that a threshold is not a score that rounding could tip.
    """
    distinct = np.unique(ranked)
    low, high = distinct[:-1], distinct[1:]
    halfway = low + (high - low + 1) // 2
    ends = np.array([INT64_MIN, INT64_MAX], dtype=np.int64)
    return np.concatenate([ends[:1], halfway, ends[1:]])


def _highest_least(cost: I64) -> int:
    return len(cost) - 1 - int(np.argmin(cost[::-1]))
