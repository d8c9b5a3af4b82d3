"""What people write beside a record: committed to in the leaf, kept sealed, taken by an erasure.

A record that carries words has a field `said`: commit("D", salt, content). The content is
canonical JSON and lies, with its salt, in the record's payload, like the request of a
prediction. So neither a name nor a note is ever published, and none outlives an erasure.
"""

from __future__ import annotations

import os
from typing import TypeVar

import msgspec

from veridict.core.codec import SALT_BYTES, TAG_SAID, canonical_json, commit
from veridict.core.nouns import Payload, Request
from veridict.services.cases.records import CaseRecord, RevocationRecord, SuppressionRecord
from veridict.services.feeding.records import FeedRecord, VerdictRecord
from veridict.services.records import ActRecord, ErasureRecord, LogRecord, StatementRecord

_NO_SALT = bytes(SALT_BYTES)
_SAYING = (
    ActRecord
    | CaseRecord
    | ErasureRecord
    | RevocationRecord
    | StatementRecord
    | SuppressionRecord
    | VerdictRecord
    | FeedRecord
)


class Words(msgspec.Struct, frozen=True):
    """Of an act: who did it, and why."""

    by: str
    note: str


class ErasureWords(msgspec.Struct, frozen=True):
    """Of an erasure; `spans` are the records whose payloads it took, both ends inclusive."""

    by: str
    note: str
    spans: list[tuple[int, int]]


class Assignment(msgspec.Struct, frozen=True):
    """Of a case: who gave it to whom, and why."""

    by: str
    note: str
    to: str


class Export(msgspec.Struct, frozen=True):
    """Of a report that was handed out: who made it; `sha256` is that of its JSON, in hex."""

    by: str
    note: str
    redacted: bool
    sha256: str


class Suppressing(msgspec.Struct, frozen=True):
    """Of a suppression: who says so, and about which two parties, up to which amount.

    `up_to` is in minor units; None where the cleared request names no amount.
    """

    by: str
    note: str
    payer: str
    payee: str
    up_to: int | None


W = TypeVar("W", bound=msgspec.Struct)


def saying(words: msgspec.Struct, *, name: str, subject: str, time_ms: int) -> Payload:
    """The payload of a record that carries `words`, found by `name`, erased with `subject`."""
    content = canonical_json(msgspec.to_builtins(words))
    request = Request(name, subject, time_ms // 1000, content)
    return Payload(request, os.urandom(SALT_BYTES), b"", _NO_SALT)


def said(payload: Payload) -> str:
    """The commitment that stands in the record's field `said`, in hex."""
    return commit(TAG_SAID, payload.request_salt, payload.request.content).hex()


def commitment_of(record: LogRecord | None) -> str | None:
    """What `said` of the record's payload must be; None where a record carries no words."""
    if isinstance(record, _SAYING):
        return record.said
    return None


def read_words(payload: Payload | None, kind: type[W]) -> W | None:
    """None where it was erased or is none; whether it opens its record is the audit's to say."""
    if payload is None:
        return None
    try:
        return msgspec.json.decode(payload.request.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
