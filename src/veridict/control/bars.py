"""Minute bars of one market: prices and volumes, in order, with the minutes nobody traded filled.

A file is CSV without a header or Parquet, in the columns of exchanges' public dumps: time (ms),
open, close, high, low, volume in the base currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from veridict.control.blocks import F64, I64
from veridict.core.errors import BadStream

COLUMNS = ("time_ms", "open", "close", "high", "low", "volume")
MINUTE_S = 60
LONGEST_HOLE = 1_440  # minutes; a longer one parts the file in two stretches
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Bars:
    """One a minute. `price`: of the last trade, millionths of the quote currency; `volume`: base.

    `fresh[i]`: nothing is known of the minutes before bar i. `dropped`: rows that made no sense.
    """

    time_s: I64
    price: I64
    volume: F64
    fresh: np.ndarray[tuple[int], np.dtype[np.bool_]]
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.time_s)

    def between(self, start_s: int, stop_s: int) -> slice:
        """Of the bars from `start_s` to before `stop_s`."""
        first, last = np.searchsorted(self.time_s, [start_s, stop_s])
        return slice(int(first), int(last))


def read_bars(path: Path) -> Bars:
    """Raises BadStream where the file cannot be read or holds no bar."""
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            options = pa.csv.ReadOptions(column_names=list(COLUMNS))
            table = pa.csv.read_csv(path, read_options=options)
        time_ms, _, close, _, _, volume = (
            table.column(name).to_numpy().astype(np.float64) for name in COLUMNS
        )
    except (OSError, KeyError, ValueError, pa.ArrowInvalid) as problem:
        raise BadStream(
            f"{path.name} cannot be read as minute bars: {problem}",
            remedy=f"pass CSV or Parquet with the columns {', '.join(COLUMNS)}",
        ) from problem
    return filled(time_ms, close, volume)


def filled(time_ms: F64, close: F64, volume: F64) -> Bars:
    """Bars of every minute; of rows in any order the later one of a minute counts."""
    sound = np.isfinite(time_ms) & np.isfinite(close) & (close > 0) & (close < 2**32)
    sound &= np.isfinite(volume) & (volume >= 0) & (time_ms >= 0) & (time_ms < 2**52)
    minute = (time_ms[sound] // (MINUTE_S * 1000)).astype(np.int64)
    order = np.argsort(minute, kind="stable")
    minute, price, traded = minute[order], close[sound][order], volume[sound][order]
    last = np.append(np.diff(minute) > 0, True) if len(minute) else np.zeros(0, dtype=bool)
    minute, price, traded = minute[last], price[last], traded[last]
    if not len(minute):
        raise BadStream("there is no bar", remedy="pass rows with a time, a price and a volume")
    hole = np.diff(minute, prepend=minute[0]) - 1
    known = np.where(hole < LONGEST_HOLE, np.maximum(hole, 0), 0) + 1  # minutes that end here
    at = np.cumsum(known) - 1
    source = np.repeat(np.arange(len(minute)), known)
    back = at[source] - np.arange(len(source))  # minutes before the bar that ends the stretch
    told = back == 0
    fresh = np.zeros(len(source), dtype=bool)
    fresh[at[np.append(True, hole[1:] >= LONGEST_HOLE)]] = True
    carried = np.where(told, source, np.maximum(source - 1, 0))
    return Bars(
        (minute[source] - back) * MINUTE_S,
        np.rint(price[carried] * MICRO).astype(np.int64),
        np.where(told, traded[source], 0.0),
        fresh,
        int(len(time_ms) - last.sum()),
    )
