"""Columns computed from the labels: target encodings that know the row's own label or the future.

Leave-one-out encodings leak in reverse: within a group, events have the *lower* value. A mean over
the whole file knows what comes later. Strictly past values are the honest form.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.arrays import F64, I8, I64
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "encodings"
MIN_GROUPS, MAX_VALUES = 3, 0.5
EXACT = 1e-6
ENOUGH = 100_000  # rows; whole groups of them
REMEDY = "encode each row by the labels of earlier rows alone, and only those known by then"


def check(data: Data) -> Iterator[Suspicion]:
    labels = data.labels
    if labels is None or not 0 < int((labels == 1).sum()) < len(labels):
        return
    columns = {name: data.numbers(name) for name in data.features}
    numbers = {name: values for name, values in columns.items() if values is not None}
    groups = {
        name: codes
        for name in data.features
        if MIN_GROUPS <= len(np.unique(codes := data.groups(name))) <= MAX_VALUES * len(data)
    }
    for name, values in numbers.items():
        for by, codes in groups.items():
            if by == name:
                continue
            some = codes < _first_groups(codes)
            what = _encoding(values[some], codes[some], labels[some])
            if what:
                yield Suspicion(NAME, Severity.LEAK, name, f"{what} of {by!r}", REMEDY)
                break


def _first_groups(codes: I64) -> int:
    """How many groups, in the order of their numbers, make up enough rows."""
    return int(np.searchsorted(np.cumsum(np.bincount(codes)), ENOUGH)) + 1


def _encoding(values: F64, codes: I64, labels: I8) -> str:
    """What the column is, in terms of the groups and labels; empty if nothing of the kind."""
    known = (labels >= 0) & ~np.isnan(values)
    values, codes, y = values[known], codes[known], labels[known].astype(np.float64)
    rows, events = np.bincount(codes), np.bincount(codes, y)
    mixed = (events > 0) & (events < rows) & (rows > 2)
    if mixed.sum() < MIN_GROUPS:
        return ""
    inside = mixed[codes]
    n, total = rows[codes], events[codes]
    mean = total / n
    others = (total - y) / np.maximum(n - 1, 1)
    if np.abs(values - mean)[inside].max() < EXACT:
        return "the mean of the label over the whole file, later rows included,"
    if np.abs(values - others)[inside].max() < EXACT:
        return "the mean of the label over all other rows (leave-one-out)"
    return _reversed(values, codes, y, mixed)


def _reversed(values: F64, codes: I64, y: F64, mixed: np.ndarray) -> str:
    """Smoothed or scaled leave-one-out: two values a group, split by the label alone."""
    low = np.full((2, len(mixed)), np.inf)
    high = np.full((2, len(mixed)), -np.inf)
    for kind in (0, 1):
        of = y == kind
        np.minimum.at(low[kind], codes[of], values[of])
        np.maximum.at(high[kind], codes[of], values[of])
    apart = (low[0] == high[0]) & (low[1] == high[1]) & (low[0] != low[1])
    if (apart & mixed).sum() >= max(MIN_GROUPS, 0.9 * mixed.sum()):
        return "exactly two values, one for events and one for others, in each group"
    return ""
