"""Values that are missing, also where a number stands for that, and in one stretch of the file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.arrays import F64
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "missing"
SENTINELS = (0.0, -1.0, -999.0, 9999.0, 99999.0)
FAR = 5.0  # times the distance of the middle half from the median


def check(data: Data) -> Iterator[Suspicion]:
    for name in data.rows.column_names:
        values = data.numbers(name)
        nulls = int(data.rows[name].null_count) if values is None else int(np.isnan(values).sum())
        if nulls:
            yield _told(name, nulls, len(data), "hold nothing", np.flatnonzero(_null(data, name)))
        if values is None or name in (data.label, data.id, data.time):
            continue
        for sentinel in SENTINELS:
            at = np.flatnonzero(values == sentinel)
            if _stands_apart(values, sentinel, len(at)):
                yield _told(name, len(at), len(data), f"hold {sentinel:g} for no value", at)


def _null(data: Data, name: str) -> np.ndarray:
    return np.asarray(data.rows[name].is_null(nan_is_null=True).to_numpy())


def _stands_apart(values: F64, sentinel: float, count: int) -> bool:
    """A value that some rows have and that lies far from where all others are."""
    if not 0 < count < 0.2 * len(values):
        return False
    rest = values[~np.isnan(values) & (values != sentinel)]
    if len(rest) < 100:
        return False
    low, middle, high = np.quantile(rest, (0.001, 0.5, 0.999))
    width = max(high - low, 1e-9 * abs(middle))
    return bool(sentinel < low - width / FAR or sentinel > high + FAR * width)


def _told(name: str, count: int, rows: int, what: str, at: np.ndarray) -> Suspicion:
    clustered = len(at) > 1 and at[-1] - at[0] < min(rows // 2, 20 * len(at))
    where = f", all between rows {at[0] + 1} and {at[-1] + 1}" if clustered else ""
    return Suspicion(
        NAME, Severity.WARN if count > rows // 1000 else Severity.NOTE, name,
        f"{count} rows {what}{where}",
        "learn whether the absence itself tells something; do not fill it from later rows",
    )  # fmt: skip
