"""Rows of ready features from a file, as `veridict predict` takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from veridict.core.errors import BadStream

ID = "id"


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """`columns[name][i]` is feature `name` of row `ids[i]`, None where it is missing."""

    name: str
    ids: list[str]
    columns: dict[str, list[float | None]]

    def ordered(self, features: tuple[str, ...]) -> list[list[float | None]]:
        """Rows with the features in the model's order. Raises BadStream where one is absent."""
        absent = [feature for feature in features if feature not in self.columns]
        if absent:
            raise BadStream(
                f"{self.name} lacks the feature {absent[0]!r} and {len(absent) - 1} more",
                remedy=f"give one column a feature: {', '.join(features)}",
                file=self.name,
                column=absent[0],
            )
        return [list(row) for row in zip(*(self.columns[f] for f in features), strict=True)]

    def matrix(self) -> NDArray[np.float64]:
        """Float64 [rows, columns] in the file's order, NaN where missing."""
        return np.array(self.ordered(tuple(self.columns)), dtype=np.float64)


def read_feature_rows(path: Path) -> FeatureRows:
    """A CSV or Parquet file; a column `id` names the rows. Raises BadStream."""
    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
        raise BadStream(
            f"{path.name} cannot be read: {problem}",
            remedy="pass a CSV file with a header, or a Parquet file",
            file=path.name,
        ) from problem
    if not table.num_rows:
        raise BadStream(f"{path.name} has no rows", remedy="give at least one row", file=path.name)
    names = [name for name in table.column_names if name != ID]
    ids = (
        [str(value) for value in table.column(ID).to_pylist()]
        if ID in table.column_names
        else _names(path, table.num_rows)
    )
    columns = {name: _numbers(path, name, table.column(name)) for name in names}
    return FeatureRows(path.name, ids, columns)


def _names(path: Path, count: int) -> list[str]:
    """Of rows without an id: the same for the same file, others for one that was changed."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return [f"{path.name}@{digest[:8]}:{row}" for row in range(1, count + 1)]


def _numbers(path: Path, name: str, column: pa.ChunkedArray) -> list[float | None]:
    try:
        values = column.cast(pa.float64()).to_pylist()
    except pa.ArrowException as problem:
        raise BadStream(
            f"column {name!r} of {path.name} holds something that is no number: {problem}",
            remedy="leave a missing value empty and write all others as numbers",
            file=path.name,
            column=name,
        ) from problem
    return [None if value is None or math.isnan(value) else value for value in values]
