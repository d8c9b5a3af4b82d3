"""Drawn payment streams, for the laws that every feature set keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from veridict.solutions.finance.payments import SHAPE, Payment
from veridict.watch.arrays import F64
from veridict.watch.stream import Table

Row = tuple[int, str, str, int, int | None]

# Few accounts, so that pairs, circles and returns happen; gaps from none to years.
names = st.sampled_from([f"a{i}" for i in range(6)])
gaps = st.one_of(
    st.just(0),
    st.integers(1, 100),
    st.integers(1, 3 * 86_400),
    st.integers(1, 40 * 86_400),
    st.just(5000 * 86_400),
)
amounts = st.integers(0, 10**6)
labels = st.sampled_from([0, 1, None])
streams = st.lists(st.tuples(gaps, names, names, amounts, labels), min_size=1, max_size=60)


def table(drawn: Sequence[Row]) -> Table[Payment]:
    times_s = np.cumsum([row[0] for row in drawn]) + 1_700_000_000
    columns = {
        "id": [str(i) for i in range(len(drawn))],
        "time_s": times_s,
        "label": [row[4] for row in drawn],
        "payer": [row[1] for row in drawn],
        "payee": [row[2] for row in drawn],
        "amount_minor": [row[3] for row in drawn],
    }
    return Table(pa.table(columns, schema=SHAPE.schema), SHAPE)


def bits(x: F64) -> bytes:
    """The doubles' bytes; every NaN is one."""
    return np.where(np.isnan(x), np.nan, x).tobytes()
