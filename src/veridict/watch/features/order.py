"""Rows must come in the order of time, within a batch and between batches."""

from __future__ import annotations

from typing import Any

from veridict.core.errors import BadStream
from veridict.watch.arrays import I64
from veridict.watch.stream import Table


def in_order(rows: Table[Any], now_s: int) -> I64:
    """The rows' times, int64[n], n > 0. Raises BadStream if time falls."""
    times_s = rows.times_s
    if times_s[0] < now_s or (times_s[1:] < times_s[:-1]).any():
        first = rows.slice(0, 1).ids[0]
        raise BadStream(
            f"{first} or a later row is earlier than a row already seen",
            remedy="give payments to the extractor in the order of time",
            first=first,
        )
    return times_s
