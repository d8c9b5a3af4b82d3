"""Which column of the user's file is which field: `id=tx_id,time=ts,amount=value`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from veridict.core.errors import BadStream


class Kind(Enum):
    TEXT = "text"
    TIME = "integer seconds since 1970, or a timestamp"
    MONEY = "positive decimal number, converted to integer cents"
    MINOR = "positive integer"
    INTEGER = "integer"
    LABEL = "0, 1 or empty"
    DEGREES = "degrees of latitude or longitude, converted to millionths"
    CODE = "text that may be empty"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is what the user maps from; `field` what the table calls it.

    Of several columns with one `field` exactly one may be mapped. `zero`: amounts may be 0.
    """

    key: str
    field: str
    kind: Kind
    required: bool = True
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A column, and its name in the user's file."""

    column: Column
    source: str


def parse_mapping(text: str) -> tuple[tuple[str, str], ...]:
    """`key=column,key=column` as pairs. Raises BadStream for anything else."""
    pairs = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, equals, source = (s.strip() for s in part.partition("="))
        if not (key and equals and source):
            raise BadStream(
                f"{part!r} in the column mapping is not key=column",
                remedy="write for example --map id=tx_id,time=ts,amount=value",
                mapping=text,
            )
        pairs.append((key, source))
    return tuple(pairs)


def bind(
    columns: Sequence[Column], mapping: Sequence[tuple[str, str]], present: Sequence[str], file: str
) -> list[Bound]:
    """Each field with its source column. Keys left out of `mapping` keep their own names."""
    known = {c.key: c for c in columns}
    chosen: dict[str, str] = {}
    for key, source in mapping:
        if key not in known:
            raise BadStream(
                f"unknown mapping key {key!r}",
                remedy=f"the keys are {', '.join(known)}",
                file=file,
                key=key,
            )
        if source not in present:
            raise _missing(key, source, present, file)
        chosen[key] = source
    taken = {known[key].field for key in chosen}
    for column in columns:
        if column.field not in taken and column.key in present:
            chosen[column.key] = column.key
            taken.add(column.field)
    for column in columns:
        if column.required and column.field not in taken:
            raise _missing(column.key, column.key, present, file)
    bound = [Bound(known[key], source) for key, source in chosen.items()]
    _refuse_twice(bound, present, file)
    return bound


def _refuse_twice(bound: Sequence[Bound], present: Sequence[str], file: str) -> None:
    fields = [b.column.field for b in bound]
    for b in bound:
        if present.count(b.source) > 1:
            raise BadStream(
                f"{file}: there are several columns {b.source!r}",
                remedy="give each column a name of its own",
                file=file,
                column=b.source,
            )
        if fields.count(b.column.field) > 1:
            raise BadStream(
                f"{b.column.field} is mapped twice",
                remedy="map each field from one column only",
                file=file,
                column=b.source,
            )


def _missing(key: str, source: str, present: Sequence[str], file: str) -> BadStream:
    return BadStream(
        f"{file}: no column {source!r}",
        remedy=f"map it: --map {key}=<one of {', '.join(present)}>",
        file=file,
        column=source,
    )
