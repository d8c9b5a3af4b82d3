"""A party's table: a CSV or Parquet file in which one column is the label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from veridict.core.errors import BadStream
from veridict.federated.fixed import F64
from veridict.federated.learners.learner import Rows


def read_rows(path: Path, label: str, features: Sequence[str] = ()) -> tuple[tuple[str, ...], Rows]:
    """The features' names, and the rows; all other columns are features unless they are named.

    Raises BadStream for what is no such file, a missing column, or text in a feature.
    """
    table = _table(path)
    names = tuple(features) or tuple(name for name in table.column_names if name != label)
    missing = [name for name in (*names, label) if name not in table.column_names]
    if missing:
        raise BadStream(
            f"{path.name} has no column {', '.join(missing)}",
            remedy=f"it has: {', '.join(table.column_names)}",
        )
    columns = [_numbers(table[name], name, path) for name in names]
    labels = _numbers(table[label], label, path)
    return names, Rows(np.stack(columns, axis=1), labels.astype(np.int8))


def read_features(path: Path, features: Sequence[str]) -> F64:
    """float64[n, f] of these columns, NaN where empty. Raises BadStream as `read_rows`."""
    table = _table(path)
    missing = [name for name in features if name not in table.column_names]
    if missing:
        raise BadStream(
            f"{path.name} has no column {', '.join(missing)}",
            remedy=f"it has: {', '.join(table.column_names)}",
        )
    return np.stack([_numbers(table[name], name, path) for name in features], axis=1)


def _table(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path)
        return pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise BadStream(
            f"{path.name} cannot be read: {error}",
            remedy="pass a CSV or Parquet file with a header",
        ) from error


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> np.ndarray:
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException as error:
        raise BadStream(
            f"{path.name}, column {name!r} does not hold numbers",
            remedy="encode it as numbers, the same way in every party, or leave it out",
        ) from error
