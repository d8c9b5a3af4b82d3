"""A stream of card payments whose fraud comes in streaks, so that confirmed cases tell of the next.

Made by a generator with a seed: customers with habits, terminals that are compromised for weeks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY_S = 86_400
DELAY_S = 7 * DAY_S
ROWS = 6000
START_S = 1_700_000_000


@cache
def columns(rows: int = ROWS, days: int = 90, seed: int = 7) -> pa.Table:
    rng = np.random.default_rng(seed)
    customers, terminals = 120, 60
    usual = rng.uniform(1_000, 9_000, customers)
    payer, payee = rng.integers(0, customers, rows), rng.integers(0, terminals, rows)
    time_s = START_S + np.sort(rng.integers(0, days * DAY_S, rows))
    amount = np.maximum(100, rng.normal(usual[payer], usual[payer] / 3)).astype(np.int64)
    label = np.zeros(rows, np.int8)
    for first_day in range(5, days - 5, 6):  # one terminal after the other, for twenty days
        terminal, start = rng.integers(0, terminals), START_S + first_day * DAY_S
        hit = (payee == terminal) & (time_s >= start) & (time_s < start + 20 * DAY_S)
        label[hit] = 1
    stolen = (rng.random(rows) < 0.01) & (label == 0)
    amount[stolen] *= 5
    label[stolen] = 1
    return pa.table(
        {
            "id": [f"p{n}" for n in range(rows)],
            "time": time_s,
            "payer": [f"c{n}" for n in payer],
            "payee": [f"t{n}" for n in payee],
            "amount_minor": amount,
            "label": label,
        }
    )


def write(folder: Path, rows: int = ROWS) -> Path:
    path = folder / "cards.parquet"
    pq.write_table(columns(rows), path)
    return path
