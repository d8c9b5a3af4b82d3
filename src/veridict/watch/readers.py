"""CSV and Parquet files into the normal form, each row checked on the way.

Everything is checked on whole columns; only a file that fails is looked at row by
row, to name the culprit. Row numbers count data rows from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from csv import reader
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from veridict.core.errors import BadStream, NotFound
from veridict.watch.columns import convert
from veridict.watch.mapping import Bound, Column, bind

BATCH_ROWS = 65_536
MAX_HEADER = 65_536


def read_rows(
    path: Path,
    columns: Sequence[Column],
    mapping: Sequence[tuple[str, str]],
    schema: pa.Schema,
) -> pa.Table:
    """The file's rows as `schema`, validated; an unmapped optional label is null.

    Raises NotFound, or BadStream with file, row, column and what to do.
    """
    file = path.name
    batches, last_s, rows = [], None, 0
    for bound, batch in _batches(path, columns, mapping):
        table = _normal(bound, batch, schema, file, rows)
        last_s = _check_time(table, last_s, file, rows, _source(bound, "time_s"))
        batches.append(table)
        rows += table.num_rows
    if not rows:
        raise BadStream(f"{file} has no rows", remedy="pass a file with data rows", file=file)
    whole = pa.concat_tables(batches)
    _check_unique(whole, file)
    return whole


def _batches(
    path: Path, columns: Sequence[Column], mapping: Sequence[tuple[str, str]]
) -> Iterator[tuple[list[Bound], pa.RecordBatch]]:
    file = path.name
    if not path.is_file():
        raise NotFound(f"there is no file {path}", remedy="check the path", file=file)
    with path.open("rb") as opened:
        magic = opened.read(4)
    if not magic:
        raise BadStream(f"{file} is empty", remedy="pass a file with data rows", file=file)
    parquet = magic == b"PAR1" or path.suffix == ".parquet"
    reader = _parquet(path, columns, mapping) if parquet else _csv(path, columns, mapping)
    yield from reader


def names_in(path: Path) -> list[str]:
    """The names of a file's columns; none where it cannot be read, which `read_rows` tells."""
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        return _header(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError, BadStream):
        return []


def _parquet(
    path: Path, columns: Sequence[Column], mapping: Sequence[tuple[str, str]]
) -> Iterator[tuple[list[Bound], pa.RecordBatch]]:
    rows = 0
    try:
        with pq.ParquetFile(path) as source:
            bound = bind(columns, mapping, source.schema_arrow.names, path.name)
            wanted = list(dict.fromkeys(b.source for b in bound))
            for batch in source.iter_batches(BATCH_ROWS, columns=wanted):
                rows += batch.num_rows
                yield bound, batch
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, rows, error) from error


def _csv(
    path: Path, columns: Sequence[Column], mapping: Sequence[tuple[str, str]]
) -> Iterator[tuple[list[Bound], pa.RecordBatch]]:
    """Every field is read as text first, so that a bad one can be shown as written."""
    cut: list[csv.InvalidRow] = []

    def refuse(row: csv.InvalidRow) -> str:
        cut.append(row)
        return "error"

    rows = 0
    try:
        names = _header(path)
        bound = bind(columns, mapping, names, path.name)
        wanted = list(dict.fromkeys(b.source for b in bound))
        with csv.open_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False, block_size=4 << 20),
            parse_options=csv.ParseOptions(invalid_row_handler=refuse),
            convert_options=csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        ) as source:
            for batch in source:
                rows += batch.num_rows
                yield bound, batch
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if cut:
            raise _cut(path, rows, cut[0]) from error
        raise _unreadable(path, rows, error) from error


def _header(path: Path) -> list[str]:
    """The names in the first line."""
    with pa.input_stream(path, compression="detect") as source:
        line = source.read(MAX_HEADER).split(b"\n", 1)[0]
    names = next(reader([line.decode("utf-8-sig").rstrip("\r")]), [])
    for other in (";", "\t", "|"):
        if len(names) == 1 and other in names[0]:
            raise BadStream(
                f"{path.name}: the columns are separated by {other!r}",
                remedy="save the file with commas between the columns",
                file=path.name,
            )
    return names


def _cut(path: Path, rows: int, bad: csv.InvalidRow) -> BadStream:
    # InvalidRow.number counts the header as row 1
    row = bad.number - 1 if bad.number is not None else rows + 1
    return BadStream(
        f"{path.name}, row {row}: {bad.actual_columns} fields instead of {bad.expected_columns}",
        remedy="the row is cut or has stray commas: mend it, or get the file again",
        file=path.name,
        row=row,
    )


def _unreadable(path: Path, rows: int, error: Exception) -> BadStream:
    text = str(error).splitlines()[0]
    utf8 = "UTF8" in text or "utf-8" in text
    return BadStream(
        f"{path.name} cannot be read after row {rows}: {text}",
        remedy="save the file as UTF-8" if utf8 else "the file is cut or damaged: get it again",
        file=path.name,
        row=rows,
    )


def _normal(
    bound: Sequence[Bound], batch: pa.RecordBatch, schema: pa.Schema, file: str, before: int
) -> pa.Table:
    at = {b.column.field: b for b in bound}
    columns = []
    for field in schema:
        if field.name in at:
            b = at[field.name]
            array = convert(batch.column(b.source), b, file, before)
        else:
            array = pa.nulls(batch.num_rows, field.type)
        columns.append(array.cast(field.type))
    return pa.table(columns, schema=schema)


def _source(bound: Sequence[Bound], field: str) -> str:
    return next(b.source for b in bound if b.column.field == field)


def _check_time(table: pa.Table, last_s: int | None, file: str, before: int, column: str) -> int:
    times = table["time_s"].to_numpy()
    falls = (times[1:] < times[:-1]).nonzero()[0]
    if last_s is not None and len(times) and times[0] < last_s:
        row: int | None = before + 1
    else:
        row = before + int(falls[0]) + 2 if len(falls) else None
    if row is not None:
        raise BadStream(
            f"{file}, row {row}: the time in {column!r} is earlier than in the row above",
            remedy="sort the file by time",
            file=file,
            row=row,
            column=column,
        )
    return int(times[-1]) if len(times) else (last_s or 0)


def _check_unique(table: pa.Table, file: str) -> None:
    ids = table["id"]
    if pc.count_distinct(ids).as_py() == table.num_rows:
        return
    seen: dict[str, int] = {}
    for row, id in enumerate(ids.to_pylist(), start=1):
        first = seen.setdefault(id, row)
        if first != row:
            raise BadStream(
                f"{file}, row {row}: id {id!r} was already used in row {first}",
                remedy="ids must be unique: remove the repeated row or map another column",
                file=file,
                row=row,
                column="id",
            )
