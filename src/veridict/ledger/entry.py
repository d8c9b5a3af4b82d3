"""What is appended, and its check before it is queued: a bad entry fails its caller alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from veridict.core.errors import BadInput
from veridict.core.nouns import Payload
from veridict.core.ports import Personal
from veridict.ledger.payloads import encode_payload

MAX_BODY_BYTES = 65_535  # c2sp.org/tlog-tiles: entry bundles have uint16 lengths


class Entry(msgspec.Struct, frozen=True):
    """A leaf's bytes, and what opens its commitments where it has any."""

    body: bytes
    payload: Payload | None = None


def encode(
    entries: Sequence[Entry], *, sealable: bool
) -> tuple[list[bytes], list[Personal | None]]:
    """Bodies and payloads to seal, one each. Raises BadInput."""
    if not entries:
        raise BadInput("nothing to append", remedy="pass at least one entry")
    bodies: list[bytes] = []
    payloads: list[Personal | None] = []
    for entry in entries:
        size = len(entry.body)
        if not 0 < size <= MAX_BODY_BYTES:
            raise BadInput(
                f"a body of {size} bytes cannot be logged",
                remedy=f"log 1 to {MAX_BODY_BYTES} bytes, and a hash of what is longer",
            )
        bodies.append(entry.body)
        payloads.append(None if entry.payload is None else _personal(entry.payload, sealable))
    return bodies, payloads


def owner_of(payload: Payload) -> str:
    """Whose data it is; a request that names nobody is about itself, and erased by its id."""
    return payload.request.subject or payload.request.id


def _personal(payload: Payload, sealable: bool) -> Personal:
    if not sealable:
        raise BadInput(
            "a log without a vault keeps no payloads", remedy="open the log with a vault"
        )
    return Personal(owner_of(payload), payload.request.id, encode_payload(payload))
