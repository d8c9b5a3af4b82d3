"""Two thresholds chosen by what mistakes cost, on rows the model was not fitted to.

`choose` gives one pair for all rows, `choose_all` what a card tells: the pooled pair, and one for
each segment that has enough rows and events. Integers throughout, so the same rows, scores and
costs give the same thresholds to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, Policy
from veridict.models.segments import segment_numbers
from veridict.models.thresholds import Band, Choice, names
from veridict.watch.arrays import I8, I64
from veridict.watch.scenario import Costs


def choose(scores: I64, labels: I8, costs: Costs, missed: I64 | None = None) -> Policy:
    """The policy with the least total cost on these rows; ties go to fewer interventions.

    A row below review_at costs `costs.missed` if it is an event, or its own of `missed`; a row
    looked at costs `review`; a row held costs `held` if it is honest. Raises BadInput without both
    kinds of rows.
    """
    known = labels >= 0
    missed = np.full(len(scores), costs.missed) if missed is None else missed
    scores, labels, missed = scores[known], labels[known], missed[known]
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
    missed_below = np.append(0, np.cumsum(events * missed[order]))[below]
    rows_from = len(ranked) - below
    honest_from = rows_from - (int(events.sum()) - events_below)
    review_cost = missed_below + costs.review * rows_from
    hold_cost = costs.held * honest_from - costs.review * rows_from
    # the best review_at up to each hold_at, then the best hold_at
    hold = _highest_least(np.minimum.accumulate(review_cost) + hold_cost)
    review = _highest_least(review_cost[: hold + 1])
    return Policy(review_at=int(cuts[review]), hold_at=int(cuts[hold]))


def choose_all(
    choice: Choice,
    features: Sequence[str],
    images: NDArray[np.uint64],
    scores: I64,
    labels: I8,
    amounts: I64,
) -> tuple[Policy, Choice]:
    """The pooled thresholds, and `choice` with its segments'.

    All of n rows: `images` u64 [n, n_features], `amounts` what a missed event costs where that is
    its amount. Raises BadInput without both kinds of rows, or where an axis cuts no feature.
    """
    costs = Costs(choice.missed or 0, choice.review, choice.held)
    missed = amounts if choice.missed is None else np.full(len(scores), choice.missed)
    pooled = choose(scores, labels, costs, missed)
    cuts = choice.cuts(features)
    if not cuts:
        return pooled, replace(choice, bands=())
    numbers = segment_numbers(cuts, images)
    bands = []
    for number, name in enumerate(names(choice.axes)):
        here = numbers == number
        rows = scores[here], labels[here], missed[here]
        bands.append(_band(name, choice, costs, pooled, *rows))
    return pooled, replace(choice, bands=tuple(bands))


def cost(policy: Policy, scores: I64, labels: I8, costs: Costs, missed: I64) -> int:
    """What `policy` costs on these rows, as `choose` counts it."""
    event, honest = labels == 1, labels == 0
    held = scores >= policy.hold_at
    looked = (scores >= policy.review_at) & ~held & (labels >= 0)
    let_go = (scores < policy.review_at) & event
    return (
        int(missed[let_go].sum())
        + costs.review * int(looked.sum())
        + costs.held * int((held & honest).sum())
    )


def _band(
    name: str, choice: Choice, costs: Costs, pooled: Policy, scores: I64, labels: I8, missed: I64
) -> Band:
    rows, events = int((labels >= 0).sum()), int((labels == 1).sum())
    # with events alone nothing says what looking for them would cost
    own = rows >= max(1, choice.least_rows) and max(1, choice.least_events) <= events < rows
    policy = choose(scores, labels, costs, missed) if own else pooled
    return Band(
        name,
        str(policy.review_at),
        str(policy.hold_at),
        rows,
        events,
        own,
        cost(policy, scores, labels, costs, missed),
        cost(pooled, scores, labels, costs, missed),
    )


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
