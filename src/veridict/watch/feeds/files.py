"""Payments from a file, as fast as they can be decided or at a pace: CSV, Parquet, JSON lines.

Unlike `watch.readers`, which refuses a file with a bad row, a feed goes on: the row is dropped and
counted. The columns are mapped as there; a file without an asset is in one currency, "XXX" (ISO
4217: no currency) by default. Amounts in columns are rounded to the asset's decimals.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from veridict.core.errors import BadInput, BadStream, NotFound
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome, sample_of
from veridict.watch.feeds.normal import Event, event, unfit
from veridict.watch.feeds.wire import MAX_BYTES, drop_code, read_payment, seconds
from veridict.watch.mapping import Column, Kind, bind

NO_CURRENCY = "XXX"
LINES = frozenset({".jsonl", ".ndjson"})
ROWS = 4096  # read from a Parquet file at once
HEAD = 4096  # bytes by which a file is known again
COLUMNS = (
    Column("id", "id", Kind.TEXT),
    Column("time", "time", Kind.TIME),
    Column("time_s", "time", Kind.TIME),
    Column("payer", "payer", Kind.TEXT),
    Column("payee", "payee", Kind.TEXT),
    Column("amount", "amount", Kind.MONEY),
    Column("amount_minor", "amount", Kind.MINOR),
    Column("asset", "asset", Kind.TEXT, required=False),
    Column("channel", "channel", Kind.TEXT, required=False),
    Column("place", "place", Kind.TEXT, required=False),
    Column("label", "label", Kind.LABEL, required=False),
)
MAX_DIGITS = 128  # of an amount as it is written; 2^256 has 78
_EXACT = Context(prec=4 * MAX_DIGITS)
Record = Mapping[str, Any] | bytes  # a row by its columns, or a line of JSON


@dataclass(slots=True)
class FileFeed:
    """A `Feed`. `speed`: seconds of the stream a second, e.g. 3600; 0 for as fast as can be.

    Known by its name and how it begins: a file that was replaced is another feed.
    """

    path: Path
    assets: Assets = field(default_factory=Assets)
    mapping: tuple[tuple[str, str], ...] = ()
    currency: str = NO_CURRENCY
    speed: float = 0.0
    clock: Callable[[], float] = time.monotonic
    name: str = field(init=False)
    live: bool = field(init=False, default=False)
    ended: bool = field(init=False, default=False)
    _rows: Iterator[Record] = field(init=False, default_factory=lambda: iter(()))
    _sources: dict[str, str] = field(init=False, default_factory=dict)
    _minor: bool = field(init=False, default=False)
    _row: int = field(init=False, default=0)  # rows given so far
    _next: Item | None = field(init=False, default=None)
    _started: tuple[float, int] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise NotFound(f"there is no file {self.path}", remedy="check the path")
        with self.path.open("rb") as opened:
            head = opened.read(HEAD)
        self.name = f"file:{self.path.name}#{sha256(head).hexdigest()[:8]}"

    def start(self, cursor: str) -> None:
        """`cursor`: how many rows to leave out. Raises BadStream where a column is missing."""
        self._row = int(cursor or 0)
        self._rows = islice(self._open(), self._row, None)

    def pull(self, most: int, wait_s: float) -> Sequence[Item]:
        items: list[Item] = []
        end = self.clock() + wait_s
        while len(items) < most:
            item = self._next or self._item()
            if item is None:
                self.ended = True
                break
            late_s = self._due(item) - self.clock()
            if late_s > 0 and (items or self.clock() + late_s > end):
                self._next = item
                if not items:
                    time.sleep(max(0.0, end - self.clock()))
                break
            if late_s > 0:
                time.sleep(late_s)
            self._next = None
            items.append(item)
        return items

    def told(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing waits for it."""

    def close(self) -> None:
        self._rows = iter(())

    def _due(self, item: Item) -> float:
        """When `item` is to be given, by `clock`."""
        if not self.speed or not isinstance(item, Arrived):
            return 0.0
        if self._started is None:
            self._started = self.clock(), item.event.time_s
        began, first_s = self._started
        return began + (item.event.time_s - first_s) / self.speed

    # -- rows --------------------------------------------------------------------------------

    def _item(self) -> Item | None:
        try:
            row = next(self._rows, None)
        except (csv.Error, UnicodeDecodeError, pa.ArrowException, OSError) as problem:
            raise BadStream(
                f"{self.path.name} cannot be read after row {self._row}: {problem}",
                remedy="the file is cut or damaged: get it again",
                file=self.path.name,
                row=self._row,
            ) from problem
        if row is None:
            return None
        self._row += 1
        try:
            made = self._line(row) if isinstance(row, bytes) else self._event(row)
        except BadInput as problem:
            sample = sample_of(row if isinstance(row, bytes) else repr(dict(row)))
            why = f"row {self._row}: {problem.message}"
            return Dropped(str(self._row), drop_code(problem), why, sample=sample)
        return Arrived(str(self._row), made)

    def _line(self, line: bytes) -> Event:
        return read_payment(line, self.assets, self.path.name)

    def _event(self, row: Mapping[str, Any]) -> Event:
        if not row:
            raise unfit("message.bad", "fields are missing or too many", "mend the row")
        told = {name: row.get(source) for name, source in self._sources.items()}
        asset = _text(told.get("asset")) or self.currency
        amount = _amount(told["amount"], 0 if self._minor else self.assets.of(asset).decimals)
        return event(
            _text(told["id"]),
            _time(told["time"]),
            payer=_text(told["payer"]),
            payee=_text(told["payee"]),
            amount=amount,
            asset=asset,
            amount_minor=self.assets.worth(asset, amount),
            source=self.path.name,
            channel=_text(told.get("channel")),
            place=_text(told.get("place")),
        )

    def _open(self) -> Iterator[Record]:
        if self.path.suffix in LINES:
            return self._lines()
        with self.path.open("rb") as opened:
            parquet = opened.read(4) == b"PAR1"
        return self._parquet() if parquet else self._csv()

    def _lines(self) -> Iterator[Record]:
        with self.path.open("rb") as opened:
            while line := opened.readline(MAX_BYTES + 2):
                whole = line.endswith(b"\n") or len(line) <= MAX_BYTES
                while line and not whole:  # the rest of a line that is too long
                    rest = opened.readline(MAX_BYTES)
                    whole = rest.endswith(b"\n") or not rest
                if line.strip():
                    yield line.rstrip(b"\r\n")

    def _csv(self) -> Iterator[Record]:
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
            rows = csv.DictReader(opened, restkey="")
            self._bind(rows.fieldnames or ())
            for row in rows:
                yield {} if "" in row or None in row.values() else row

    def _parquet(self) -> Iterator[Record]:
        with pq.ParquetFile(self.path) as source:
            self._bind(source.schema_arrow.names)
            wanted = list(dict.fromkeys(self._sources.values()))
            for batch in source.iter_batches(ROWS, columns=wanted):
                yield from batch.to_pylist()

    def _bind(self, names: Sequence[str]) -> None:
        bound = bind(COLUMNS, self.mapping, list(names), self.path.name)
        self._sources = {one.column.field: one.source for one in bound}
        self._minor = any(one.column.kind is Kind.MINOR for one in bound)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _time(value: object) -> int:
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(zoned.timestamp() // 1)
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    text = _text(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else seconds(text)


def _amount(value: object, decimals: int) -> int:
    """In the smallest unit, rounded to the nearest; of columns, in which floats are usual."""
    try:
        number = Decimal(value if isinstance(value, int) else str(value).strip()[:MAX_DIGITS])
        minor = _EXACT.scaleb(number, decimals)
        if not minor.is_finite() or minor.adjusted() > MAX_DIGITS:
            raise unfit("amount.absurd", str(value)[:40], "check the unit of amounts")
        return int(minor.to_integral_value())
    except (InvalidOperation, ValueError, TypeError, OverflowError):
        raise unfit("amount.bad", f"{str(value)[:40]!r}", "write 12.50") from None
