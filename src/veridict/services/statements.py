"""Statements: what other systems said, in their own bytes; and the receipt for one."""

from __future__ import annotations

from typing import Annotated

import msgspec

from veridict.core.codec import MAX_DEPTH, nesting
from veridict.core.errors import BadInput

MAX_BYTES = 65_536  # of one statement


class Statement(msgspec.Struct, frozen=True):
    """`content` as it was sent, byte for byte; `id` and `subject` are read from it."""

    id: str
    subject: str
    content: bytes


class Logged(msgspec.Struct, frozen=True):
    """Where a statement stands. Its record is `StatementRecord(said, time_ms)`, with

    said = SHA-256("D" ‖ salt ‖ content). `again`: it stood there before it was sent now.
    """

    id: str
    index: int
    time_ms: int
    salt: str
    again: bool = False


class _Names(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    subject: Annotated[str, msgspec.Meta(max_length=256)] = ""


_names = msgspec.json.Decoder(_Names)


def read_statement(content: bytes) -> Statement:
    """A JSON object with `id`, `subject` and whatever else. Raises BadInput."""
    if len(content) > MAX_BYTES:
        raise BadInput(
            f"a statement of {len(content)} bytes is too large",
            remedy=f"send up to {MAX_BYTES} bytes, and a hash of what is longer",
        )
    try:
        if content.count(b"[") + content.count(b"{") > MAX_DEPTH and nesting(content) > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")  # see `codec.parse_json`
        names = _names.decode(content)
        names.id.encode(), names.subject.encode()
    except (msgspec.DecodeError, ValueError) as problem:
        raise BadInput(
            f"not a statement: {problem}",
            remedy='send a JSON object such as {"id": "p-1", "subject": "account-7", "score": 3}',
        ) from problem
    return Statement(names.id, names.subject, content)
