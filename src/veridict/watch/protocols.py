"""How rows are parted for a figure that others can compare: by time, with labels that come late."""

from __future__ import annotations

from typing import Any

import numpy as np

from veridict.watch.arrays import I64
from veridict.watch.stream import Table

DAY_S = 86_400


def handbook(
    rows: Table[Any], start_s: int, *, train_days: int = 7, delay_days: int = 7, test_days: int = 7
) -> tuple[I64, I64]:
    """The Fraud Detection Handbook's: row numbers to train on and to test on.

    Trained on whole days from `start_s`, tested on those after the delay. From a day of the test,
    payers are left out who by then are known to be compromised: from the days of training, and
    from each later day once the delay is over.
    """
    day = (rows.times_s - start_s) // DAY_S
    bad, payers = rows.labels == 1, np.unique(rows.strings("payer"), return_inverse=True)[1]
    train = (day >= 0) & (day < train_days)
    known = np.zeros(payers.max() + 1, bool)
    known[payers[train & bad]] = True
    test = np.zeros(len(rows), bool)
    for n in range(test_days):
        known[payers[bad & (day == train_days + n - 1)]] = True
        test |= (day == train_days + delay_days + n) & ~known[payers]
    return np.flatnonzero(train), np.flatnonzero(test)


def temporal(
    rows: Table[Any], test_from_s: int, delay_s: int, *, skip_s: int = 0
) -> tuple[I64, I64]:
    """Rows whose label is known at `test_from_s` to train on, all rows from then on to test on.

    The first `skip_s` seconds only fill the features.
    """
    times_s = rows.times_s
    first = int(np.searchsorted(times_s, times_s[0] + skip_s))
    last = int(np.searchsorted(times_s, test_from_s - delay_s, side="right"))
    test = int(np.searchsorted(times_s, test_from_s))
    return np.arange(first, last), np.arange(test, len(rows))
