"""What a check sees of a file, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from veridict.core.errors import BadStream
from veridict.watch.arrays import F64, I8, I64

LABELS = ("label", "target", "output", "class", "is_fraud", "isfraud", "fraud", "fraudfound_p")
TIMES = ("time_s", "time", "ts", "timestamp", "datetime", "date")
IDS = ("id", "tx_id", "transaction_id", "block_number")


class Severity(Enum):
    """`LEAK`: figures from this data will be false. `WARN`: they may be. `NOTE`: good to know."""

    LEAK = "leak"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`column` is empty where the whole file is meant."""

    check: str
    severity: Severity
    column: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Data:
    """A file as it stands, unordered and unchecked; the roles of three columns, "" if none.

    `rises`: columns that, by what is known of the subject, rise with the event.
    """

    rows: pa.Table
    label: str
    time: str
    id: str
    rises: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @property
    def labels(self) -> I8 | None:
        """int8[rows]: 0, 1, -1 unknown; None unless there is a label of two kinds."""
        if not self.label:
            return None
        values = self.numbers(self.label)
        if values is None or not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
            return None
        return np.where(np.isnan(values), -1, values).astype(np.int8)

    @property
    def times_s(self) -> I64 | None:
        """int64[rows], seconds or whatever unit a column of numbers has."""
        if not self.time:
            return None
        column = self.rows[self.time]
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            column = pc.cast(pc.cast(column, pa.timestamp("s")), pa.int64())
        values = _floats(column)
        return None if values is None else np.nan_to_num(values).astype(np.int64)

    @property
    def features(self) -> tuple[str, ...]:
        roles = {self.label, self.time, self.id}
        return tuple(name for name in self.rows.column_names if name not in roles)

    def numbers(self, name: str) -> F64 | None:
        """float64[rows] with NaN for missing; None if the column holds no numbers."""
        return _floats(self.rows[name])

    def groups(self, name: str) -> I64:
        """int64[rows]: equal values have equal numbers."""
        codes = self.rows[name].combine_chunks().dictionary_encode(null_encoding="encode")
        return np.asarray(codes.indices.to_numpy(), np.int64)


def _floats(column: Any) -> F64 | None:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), np.float64)


def read_data(
    path: Path, mapping: Sequence[tuple[str, str]] = (), rises: Sequence[str] = ()
) -> Data:
    """A CSV (also .gz) or Parquet file; `mapping` of label, time and id, else by usual names.

    Raises BadStream.
    """
    try:
        rows = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
        raise BadStream(
            f"{path.name} cannot be read: {str(problem).splitlines()[0]}",
            remedy="pass a CSV file with a header, or a Parquet file",
            file=path.name,
        ) from problem
    if not rows.num_rows:
        raise BadStream(f"{path.name} has no rows", remedy="pass a file with rows", file=path.name)
    roles = dict(mapping)
    for role, name in (*roles.items(), *(("rises", name) for name in rises)):
        if role not in ("label", "time", "id", "rises") or name not in rows.column_names:
            raise BadStream(
                f"{path.name}: no column {name!r}, or no role {role!r}",
                remedy=f"map label, time or id to one of {', '.join(rows.column_names)}",
                column=name,
            )
    label, time, id = (
        roles.get(role) or next((c for c in rows.column_names if c.lower() in usual), "")
        for role, usual in (("label", LABELS), ("time", TIMES), ("id", IDS))
    )
    return Data(rows.replace_schema_metadata(None), label, time, id, tuple(rises))
