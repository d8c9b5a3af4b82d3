"""Rows that stand twice: what is learned from one is asked of the other.

Looks for ids used twice, and for rows that are equal in all but id; a label that differs between
such rows is told apart, since no model can be right about both.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "duplicates"


def check(data: Data) -> Iterator[Suspicion]:
    if data.id:
        repeated = len(data) - len(np.unique(data.groups(data.id)))
        if repeated:
            yield Suspicion(
                NAME, Severity.LEAK, data.id, f"{repeated} ids stand more than once",
                "keep one row an id, or map the column that names a row",
            )  # fmt: skip
    names = [name for name in data.rows.column_names if name not in (data.id, data.label)]
    if not names:
        return
    wanted = [(data.label, "count_distinct")] if data.label else []
    groups = data.rows.group_by(names).aggregate(wanted)
    twice = len(data) - groups.num_rows
    if not twice:
        return
    contrary = 0
    if data.label:
        kinds = np.asarray(groups[f"{data.label}_count_distinct"].to_numpy())
        contrary = int((kinds > 1).sum())
    said = f", {contrary} of them with the other label" if contrary else ""
    timed = bool(data.time)
    yield Suspicion(
        NAME, Severity.LEAK if timed or twice > len(data) // 100 else Severity.WARN, "",
        f"{twice} rows equal an earlier one in everything but id{said}",
        "remove them before the split, or they stand on both sides of it",
    )  # fmt: skip
