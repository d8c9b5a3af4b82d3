"""What deciding in one way over a stretch of time would have meant: found, missed, work, money.

Intervals are from whole days drawn again with replacement, two thousand times with a fixed seed:
what happens within a day hangs together, so single rows would promise too much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.watch.arrays import F64, I8, I64
from veridict.watch.scenario import Costs

DAY_S = 86_400
DRAWS, SEED, LEVEL = 2000, 1, 0.95
TOP = 5


@dataclass(frozen=True, slots=True)
class Decided:
    """Rows in the order of time, each array [rows]. labels: 1, 0, -1 unknown.

    `amounts_minor` is what moves if a row is allowed; `causes` what moved each decision, "" where
    the row was allowed.
    """

    name: str
    times_s: I64
    decisions: I8
    labels: I8
    amounts_minor: I64
    causes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds it at LEVEL; None where it would divide by nothing."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """`flagged`: review or hold. Money in minor units. `cost` in looks by a person, see `Costs`.

    `known` rows have a label; precision, recall, money and cost speak of those alone. `disturbed`
    is honest money that waited.
    """

    name: str
    rows: int
    known: int
    events: int
    days: float
    flagged: int
    held: int
    per_day: Estimate
    precision: Estimate
    recall: Estimate
    cost_per_day: Estimate
    caught_minor: int
    missed_minor: int
    disturbed_minor: int
    held_minor: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of the second with the first over the same rows: differences, positive where it has more."""

    first: Outlook
    second: Outlook
    both_flagged: int
    only_first: int
    only_second: int
    precision: Estimate
    recall: Estimate
    per_day: Estimate
    cost_per_day: Estimate


def outlook(decided: Decided, costs: Costs) -> Outlook:
    """Raises BadInput for no rows."""
    daily, drawn = _daily(decided, costs), _draws(decided)
    money, labels = decided.amounts_minor, decided.labels
    flagged = decided.decisions > Decision.ALLOW
    held = decided.decisions == Decision.HOLD
    causes = Counter(c for c, flag in zip(decided.causes, flagged.tolist(), strict=True) if flag)
    return Outlook(
        name=decided.name,
        rows=len(labels),
        known=int((labels >= 0).sum()),
        events=int((labels == 1).sum()),
        days=len(daily),
        flagged=int(flagged.sum()),
        held=int(held.sum()),
        per_day=_estimate(_per_day, daily, drawn),
        precision=_estimate(_precision, daily, drawn),
        recall=_estimate(_recall, daily, drawn),
        cost_per_day=_estimate(_cost, daily, drawn),
        caught_minor=int(money[flagged & (labels == 1)].sum()),
        missed_minor=int(money[~flagged & (labels == 1)].sum()),
        disturbed_minor=int(money[flagged & (labels == 0)].sum()),
        held_minor=int(money[held].sum()),
        causes=tuple(causes.most_common(TOP)),
    )


def compare(first: Decided, second: Decided, costs: Costs) -> Comparison:
    """Both must have decided the same rows. Raises BadInput otherwise."""
    if not np.array_equal(first.times_s, second.times_s):
        raise BadInput("two outlooks of other rows", remedy="let both decide the same rows")
    one, two, drawn = _daily(first, costs), _daily(second, costs), _draws(first)
    a, b = (d.decisions > Decision.ALLOW for d in (first, second))

    def differ(figure: _Figure) -> Estimate:
        before, after = figure(one.sum(axis=0)), figure(two.sum(axis=0))
        pairs = [(figure(x), figure(y)) for x, y in zip(drawn @ one, drawn @ two, strict=True)]
        known = [y - x for x, y in pairs if x is not None and y is not None]
        value = None if before is None or after is None else after - before
        return _within(value, known)

    return Comparison(
        outlook(first, costs),
        outlook(second, costs),
        both_flagged=int((a & b).sum()),
        only_first=int((a & ~b).sum()),
        only_second=int((b & ~a).sum()),
        precision=differ(_precision),
        recall=differ(_recall),
        per_day=differ(_per_day),
        cost_per_day=differ(_cost),
    )


# -- a day's counts: days, flagged, events flagged, known flagged, events, cost ------------------

_DAYS, _FLAGGED, _FOUND, _CHECKED, _EVENTS, _COST = range(6)


class _Figure:
    """A share of two of a day's counts."""

    def __init__(self, part: int, whole: int) -> None:
        self._part, self._whole = part, whole

    def __call__(self, counts: F64) -> float | None:
        whole = float(counts[self._whole])
        return float(counts[self._part]) / whole if whole else None


_precision, _recall = _Figure(_FOUND, _CHECKED), _Figure(_FOUND, _EVENTS)
_per_day, _cost = _Figure(_FLAGGED, _DAYS), _Figure(_COST, _DAYS)


def _daily(decided: Decided, costs: Costs) -> F64:
    """float64[days, 6]; days without rows count as days."""
    if not len(decided.times_s):
        raise BadInput("no rows were decided", remedy="choose a stretch of time with rows")
    day = (decided.times_s - decided.times_s[0]) // DAY_S
    flagged = decided.decisions > Decision.ALLOW
    known, event = decided.labels >= 0, decided.labels == 1
    cost = np.where(flagged, costs.review, np.where(event, costs.missed, 0))
    cost = np.where(decided.decisions == Decision.HOLD, np.where(event, 0, costs.held), cost)
    found = np.zeros((int(day[-1]) + 1, 6))
    found[:, _DAYS] = 1.0
    for column, value in (
        (_FLAGGED, flagged), (_FOUND, flagged & event), (_CHECKED, flagged & known),
        (_EVENTS, event), (_COST, np.where(known, cost, 0)),
    ):  # fmt: skip
        np.add.at(found[:, column], day, value.astype(np.float64))
    return found


def _draws(decided: Decided) -> F64:
    """float64[DRAWS, days]: how often each day is drawn."""
    days = int((decided.times_s[-1] - decided.times_s[0]) // DAY_S) + 1
    generator = np.random.default_rng(SEED)
    return generator.multinomial(days, np.full(days, 1.0 / days), size=DRAWS).astype(np.float64)


def _estimate(figure: _Figure, daily: F64, drawn: F64) -> Estimate:
    found = [figure(counts) for counts in drawn @ daily]
    return _within(figure(daily.sum(axis=0)), [f for f in found if f is not None])


def _within(value: float | None, drawn: Sequence[float]) -> Estimate:
    if value is None or len(drawn) < DRAWS // 2:
        return Estimate(value, None, None)
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(np.array(drawn), (tail, 1.0 - tail)).tolist()
    return Estimate(value, low, high)
