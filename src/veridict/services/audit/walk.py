"""What an examiner sees: the log's rows as they lie in the store, damaged or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from veridict.core.errors import StorageFailed, VeridictError
from veridict.core.nouns import Finding, Payload
from veridict.ledger.payloads import decode_payload
from veridict.services.audit.source import Source
from veridict.services.records import LogRecord, decode

MAX_FINDINGS = 20  # an examiner stops naming after this many; the rest is counted

Verdict = tuple[int, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One index of the log. `body` is None where the record is missing, `record` where unreadable.

    `leaf` is the leaf hash the store keeps in its tiles: None if it is lost too. `withheld`:
    whether there is a payload is not told, as in a pack that opens only some.
    """

    index: int
    body: bytes | None
    leaf: bytes | None
    record: LogRecord | None
    payload: Payload | None
    payload_damaged: bool
    withheld: bool = False


class Onlooker(Protocol):
    """Sees every row once, in order."""

    def see(self, rows: Sequence[Row]) -> None: ...


class Examiner(Onlooker, Protocol):
    """One numbered check: sees every row, then gives its verdict."""

    @property
    def title(self) -> str: ...

    def verdict(self) -> Verdict:
        """How many things were examined, and what is wrong with them."""


@dataclass(slots=True)
class Notes:
    """Counts what was examined and keeps findings, the first of them by name."""

    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    unnamed: int = 0

    def wrong(self, code: str, where: str, expected: str, found: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, where, expected, found))
        else:
            self.unnamed += 1

    def verdict(self) -> Verdict:
        if self.unnamed:
            last = self.findings[-1]
            more = Finding(last.code, "elsewhere", "no more findings", f"{self.unnamed} more")
            return self.examined, (*self.findings, more)
        return self.examined, tuple(self.findings)


def rows_of(log: Source, start: int, stop: int) -> list[Row]:
    """Rows `start`..`stop`-1, one each, whatever is missing."""
    bodies = dict(log.records(start, stop))
    leaves = _leaves(log, start, stop)
    payloads = dict(log.stored_payloads(start, stop))
    withheld = log.withheld(start, stop)
    return [
        Row(index, body, leaf, _readable(body), *_opened(payloads.get(index)), index in withheld)
        for index, leaf in zip(range(start, stop), leaves, strict=True)
        for body in (bodies.get(index),)
    ]


def _leaves(log: Source, start: int, stop: int) -> list[bytes | None]:
    try:
        return list(log.leaves(start, stop))
    except StorageFailed:  # a tile is gone: see which leaves went with it
        return [_leaf(log, index) for index in range(start, stop)]


def _leaf(log: Source, index: int) -> bytes | None:
    try:
        return log.leaf(index)
    except StorageFailed:
        return None  # `Records` names it


def _readable(body: bytes | None) -> LogRecord | None:
    try:
        return None if body is None else decode(body)
    except VeridictError:
        return None  # `Records` names it: an unreadable body is a finding of its own


def _opened(stored: bytes | None) -> tuple[Payload | None, bool]:
    try:
        return (None if stored is None else decode_payload(stored)), False
    except VeridictError:
        return None, True
