"""Where a model's data came from, as its publisher describes it: part of the model card."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veridict.core.errors import BadInput

HEX32 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set and its SHA-256 in lower-case hex."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        _check(_texts(self.name) and HEX32.match(str(self.sha256)) is not None, "a file's digest")


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One kind of records and the names of its fields, as they are in the data."""

    name: str
    fields: tuple[str, ...]

    def __post_init__(self) -> None:
        named = _texts(self.name) and isinstance(self.fields, tuple) and _texts(*self.fields)
        _check(named, "a record set's name or fields")


@dataclass(frozen=True, slots=True)
class DataSource:
    """A published data set. `croissant` is the SHA-256 of the description it was read from.

    `licences` as the publisher names them, usually URLs.
    """

    name: str
    licences: tuple[str, ...]
    url: str
    croissant: str
    files: tuple[DataFile, ...]
    record_sets: tuple[RecordSet, ...] = ()

    def __post_init__(self) -> None:
        lists = (self.licences, self.files, self.record_sets)
        _check(all(isinstance(items, tuple) for items in lists), "a source's lists")
        _check(_texts(self.name, self.url, *self.licences), "a source's name, url or licence")
        _check(len(self.licences) > 0, "a source's licence")
        _check(HEX32.match(str(self.croissant)) is not None, "the description's digest")
        _check(
            all(isinstance(file, DataFile) for file in self.files)
            and all(isinstance(found, RecordSet) for found in self.record_sets),
            "a source's files or record sets",
        )


def _texts(*values: object) -> bool:
    return all(isinstance(value, str) and value for value in values)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise BadInput(f"not a data source: {what}", remedy="read it with models.papers.croissant")
