"""Columns that know a later row.

A column that repeats, row for row, what another column says one or several rows later (of the
same account where there is one) was filled with hindsight, or is the answer itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.arrays import F64
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "look-ahead"
STEPS = (1, 2, 3, 5, 7)
MIN_KINDS, EQUAL = 20, 0.98
SAMPLE = 200_000


def check(data: Data) -> Iterator[Suspicion]:
    if data.times_s is None:
        return
    columns = {
        name: values[:SAMPLE]
        for name in (*data.features, data.label)
        if name and (values := data.numbers(name)) is not None
    }
    for name, values in columns.items():
        for other, later in columns.items():
            if name == other or (np.unique(later).size < MIN_KINDS and other != data.label):
                continue
            step = next((s for s in STEPS if _repeats(values, later, s)), None)
            if step:
                yield Suspicion(
                    NAME, Severity.LEAK, name, f"it repeats {other!r} of {step} rows later",
                    "leave it out, or shift it to what was known when the row happened",
                )  # fmt: skip
                break


def _repeats(values: F64, later: F64, step: int) -> bool:
    a, b = values[:-step], later[step:]
    both = ~np.isnan(a) & ~np.isnan(b)
    if both.sum() < 50 or np.unique(b[both]).size < 2:
        return False
    same = a[both] == b[both]
    if same.mean() < EQUAL:
        return False
    # a column of almost one value repeats any other: count where the value moves
    moves = np.append(np.diff(b[both]) != 0, False)
    return bool(moves.sum() >= MIN_KINDS and same[moves].mean() >= EQUAL)
