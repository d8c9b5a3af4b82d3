"""How good a score is, in exact decimals, so that anyone re-computes the same figures.

Ranks and counts are integers; a share is rounded once, to six places, half to even.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from veridict.core.nouns import Policy
from veridict.models.segments import RowPolicy
from veridict.watch.arrays import I8, I64

PLACES = 6
MAX_FALSE_ALARMS = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Metrics:
    """One set of rows. None where a share has no meaning (nothing to divide by).

    `ap`: average precision. `recall_at_1pct`: recall where at most 1 % of the honest rows are
    flagged. "flagged" is review or hold. `event_share`: events among the rows.
    """

    where: str
    rows: int
    events: int
    ap: Decimal | None
    recall_at_1pct: Decimal | None
    flagged: int
    held: int
    precision_flagged: Decimal | None
    recall_flagged: Decimal | None
    precision_held: Decimal | None
    recall_held: Decimal | None

    @property
    def event_share(self) -> Decimal | None:
        return share(self.events, self.rows)


def share(part: int, whole: int) -> Decimal | None:
    return None if whole == 0 else exact(Fraction(part, whole))


def exact(value: Fraction) -> Decimal:
    scaled = round(value * 10**PLACES)  # half to even
    return Decimal(scaled).scaleb(-PLACES)


def average_precision(scores: I64, labels: I8) -> Fraction | None:
    """Sum over distinct scores of (recall gained) × (precision so far), as scikit-learn's."""
    events = int(labels.sum())
    if events == 0:
        return None
    hits, seen = _cumulative(scores, labels)
    gained = np.diff(hits, prepend=0)
    total = Fraction(0)
    # 2^-80 steps: far below the sixth place, and sums of such fractions stay small
    for g, h, n in zip(gained.tolist(), hits.tolist(), seen.tolist(), strict=True):
        if g:
            total += Fraction(((g * h) << 80) // n, 1 << 80)
    return total / events


def recall_at(scores: I64, labels: I8, false_alarms: Fraction) -> Fraction | None:
    """Recall at the lowest threshold that flags at most this share of the honest rows."""
    events, honest = int(labels.sum()), int((labels == 0).sum())
    if events == 0 or honest == 0:
        return None
    hits, seen = _cumulative(scores, labels)
    within = (seen - hits) * false_alarms.denominator <= honest * false_alarms.numerator
    return Fraction(int(hits[within].max()) if within.any() else 0, events)


def measure(where: str, scores: I64, labels: I8, policy: Policy | RowPolicy) -> Metrics:
    """scores: int64[n] raw; labels: int8[n], unknown ones are left out."""
    known = labels >= 0
    flagged, held = (scores >= policy.review_at)[known], (scores >= policy.hold_at)[known]
    scores, labels = scores[known], labels[known]
    events = int(labels.sum())
    ap = average_precision(scores, labels)
    recall = recall_at(scores, labels, MAX_FALSE_ALARMS)
    found, found_held = int(labels[flagged].sum()), int(labels[held].sum())
    return Metrics(
        where=where,
        rows=len(labels),
        events=events,
        ap=None if ap is None else exact(ap),
        recall_at_1pct=None if recall is None else exact(recall),
        flagged=int(flagged.sum()),
        held=int(held.sum()),
        precision_flagged=share(found, int(flagged.sum())),
        recall_flagged=share(found, events),
        precision_held=share(found_held, int(held.sum())),
        recall_held=share(found_held, events),
    )


def _cumulative(scores: I64, labels: I8) -> tuple[I64, I64]:
    """Events and rows at or above each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else ranked
    hits = np.cumsum(labels[order], dtype=np.int64)
    return hits[ends], ends + 1
