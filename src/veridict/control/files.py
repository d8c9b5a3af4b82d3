"""Blocks from a file: Parquet with one row a block, as public data sets have them.

Columns: block_number, timestamp (s), base_fee_wei, gas_used, gas_limit; optional num_tx and
mev_value_gwei. What a row lacks is 0, or NaN for a bid, and `intake` has its say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from veridict.control.blocks import Block, BlockTable
from veridict.control.intake import Intake
from veridict.core.errors import BadStream

NEEDED = ("block_number", "timestamp", "base_fee_wei", "gas_used", "gas_limit")
CHUNK = 50_000


def read_blocks(path: Path) -> BlockTable:
    """The rows as they stand in the file, in order of number. Raises BadStream."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as problem:
        raise BadStream(
            f"{path.name} cannot be read as Parquet: {problem}",
            remedy=f"pass a Parquet file with the columns {', '.join(NEEDED)}",
        ) from problem
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise BadStream(
            f"{path.name} has no column {', '.join(missing)}",
            remedy=f"name its columns {', '.join(NEEDED)}",
        )
    table = table.sort_by("block_number")
    number, time_s, fee, used, limit, n_tx = (
        _column(table, name, pa.int64(), 0) for name in (*NEEDED, "num_tx")
    )
    bids = _column(table, "mev_value_gwei", pa.float64(), float("nan"))
    return BlockTable(number, time_s, fee, used, limit, n_tx, bids)


def _column(table: pa.Table, name: str, kind: pa.DataType, absent: float) -> Any:
    if name not in table.column_names:
        return np.full(len(table), absent, dtype=kind.to_pandas_dtype())
    return pc.fill_null(table[name].cast(kind), absent).to_numpy()


def clean(rows: Iterable[Block], intake: Intake) -> tuple[BlockTable, Counter[str]]:
    """What `intake` makes of `rows`, from the last gap on; and how often it found what."""
    parts: list[BlockTable] = []
    counts: Counter[str] = Counter()
    for chunk in _chunks(rows):
        kept: list[Block] = []
        for block in chunk:
            before = intake.last
            usable, found = intake.accept(block)
            counts.update(finding.code for finding in found)
            if usable is None:
                continue
            if before is not None and usable.number != before.number + 1:
                parts, kept = [], []  # features need an unbroken past
            kept.append(usable)
        parts.append(BlockTable.of(kept))
    return BlockTable.joined(parts or [BlockTable.of([])]), counts


def _chunks(rows: Iterable[Block]) -> Iterator[list[Block]]:
    chunk: list[Block] = []
    for block in rows:
        chunk.append(block)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk
