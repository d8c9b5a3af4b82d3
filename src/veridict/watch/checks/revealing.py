"""A column, or a range of one, that gives the label away.

A real cause rarely decides alone. Where all rows within a range of one column are events, or a
column ranks them almost perfectly, the data were made or gathered so: the model learns the making.
The number of the row counts as a column: files are sorted by label more often than one thinks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.arrays import F64, I8
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "revealing"
MIN_ROWS, MIN_SHARE, PURE = 20, 0.03, 0.999
RANKS, MOSTLY = 0.985, 0.9
ROW = "(the row's number)"


def check(data: Data) -> Iterator[Suspicion]:
    labels = data.labels
    if labels is None:
        return
    known = labels >= 0
    labels = labels[known]
    events = int(labels.sum())
    if not MIN_ROWS <= events <= len(labels) - MIN_ROWS:
        return
    for name in data.features:
        values = data.numbers(name)
        shown = values[known] if values is not None else _by_share(data.groups(name)[known], labels)
        yield from _column(name, shown, labels, events)
    yield from _column(ROW, np.arange(len(labels), dtype=np.float64), labels, events, ranks=MOSTLY)


def _column(
    name: str, values: F64, labels: I8, events: int, ranks: float = RANKS
) -> Iterator[Suspicion]:
    auc = _auc(values, labels)
    if max(auc, 1.0 - auc) >= ranks:
        yield Suspicion(
            NAME, Severity.LEAK, name,
            f"it alone ranks the events with an area under the curve of {max(auc, 1 - auc):.3f}",
            "find out when it is written; leave it out if that is after the event is known",
        )  # fmt: skip
        return
    for side, found in (("below", _pure(values, labels)), ("above", _pure(-values, labels))):
        if found is None:
            continue
        bound, rows = found
        if rows >= max(MIN_ROWS, MIN_SHARE * events):
            bound = bound if side == "below" else -bound
            yield Suspicion(
                NAME, Severity.LEAK, name,
                f"all {rows} rows {side} {bound:.6g} are events, {rows / events:.0%} of them all",
                "report figures without these rows as well; real data grant no such line",
            )  # fmt: skip


def _pure(values: F64, labels: I8) -> tuple[float, int] | None:
    """The bound below which (almost) all rows are events, and how many; None if there is none."""
    present = ~np.isnan(values)
    order = np.argsort(values[present], kind="stable")
    ranked, hits = values[present][order], np.cumsum(labels[present][order])
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    pure = np.flatnonzero(hits[ends] >= PURE * (ends + 1))
    if not len(pure) or pure[-1] + 1 >= len(ends):
        return None
    last = ends[pure[-1]]
    # halfway to the next value: how a person would draw the line
    return float((ranked[last] + ranked[last + 1]) / 2), int(last + 1)


def _auc(values: F64, labels: I8) -> float:
    present = ~np.isnan(values)
    values, labels = values[present], labels[present]
    events = int(labels.sum())
    if not 0 < events < len(labels):
        return 0.5
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    above = ranks[labels == 1].sum() - events * (events + 1) / 2.0
    return float(above / (events * (len(labels) - events)))


def _by_share(groups: np.ndarray, labels: I8) -> F64:
    """Each row's group as the share of events among the others of it; NaN in small groups."""
    rows = np.bincount(groups).astype(np.float64)
    events = np.bincount(groups, labels)
    few = rows < MIN_ROWS
    shares = np.where(few, np.nan, events / np.maximum(rows, 1))
    return np.asarray(shares[groups])
