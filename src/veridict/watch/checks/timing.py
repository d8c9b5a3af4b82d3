"""Time: its order and unit, splits that mix it, and labels that are known too early.

In life a label comes later than its row: frauds are confirmed after a week. A file that has every
label, up to its last row, was written with hindsight; features from its labels must wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from veridict.watch.arrays import I64
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "timing"
DAY_S = 86_400
SPLITS = ("split", "fold", "set", "subset", "partition", "is_train", "is_test")
DELAYS = ("label_time", "labelled_at", "known_at", "confirmed_at", "label_ts", "reported_at")


def check(data: Data) -> Iterator[Suspicion]:
    times = data.times_s
    if times is None:
        if data.labels is not None:
            yield Suspicion(
                NAME, Severity.WARN, "", "no column tells when a row happened",
                "without times no split is honest: map one with --map time=COLUMN",
            )  # fmt: skip
        return
    yield from _order(data, times)
    yield from _known_at_once(data, times)
    yield from _splits(data, times)


def _order(data: Data, times: I64) -> Iterator[Suspicion]:
    falls = int((times[1:] < times[:-1]).sum())
    if falls:
        yield Suspicion(
            NAME, Severity.WARN, data.time, f"time falls {falls} times from row to row",
            "sort the file by time",
        )  # fmt: skip
    if times.max() > 32_503_680_000:
        yield Suspicion(
            NAME, Severity.WARN, data.time, "times beyond the year 3000, likely milliseconds",
            "divide by 1000",
        )  # fmt: skip
    elif times.max() > DAY_S * 366 and not (times % DAY_S).any():
        yield Suspicion(
            NAME, Severity.NOTE, data.time, "whole days only: the order within a day is unknown",
            "split between days; let no feature depend on the order within one",
        )  # fmt: skip


def _known_at_once(data: Data, times: I64) -> Iterator[Suspicion]:
    labels = data.labels
    if labels is None or any(name.lower() in DELAYS for name in data.rows.column_names):
        return
    late = times > times.max() - min(7 * DAY_S, (int(times.max()) - int(times.min())) // 10)
    if (labels[late] >= 0).mean() >= 0.99 * (labels[~late] >= 0).mean() > 0:
        yield Suspicion(
            NAME, Severity.WARN, data.label,
            "labels are known at once, to the last row, and nothing tells when they came",
            "use a delay: a label counts in features and training only days after its row",
        )  # fmt: skip


def _splits(data: Data, times: I64) -> Iterator[Suspicion]:
    for name in data.features:
        if name.lower() not in SPLITS:
            continue
        codes = data.groups(name)
        spans = [(times[codes == c].min(), times[codes == c].max()) for c in np.unique(codes)]
        spans.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
            yield Suspicion(
                NAME, Severity.LEAK, name, "the parts of the split overlap in time",
                "split by time: train on the earlier rows, test on the later",
            )  # fmt: skip
