"""What is appended, and its check before it is queued: a bad entry fails its caller alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.errors import BadInput
from veridict.core.nouns import Payload
from veridict.ledger.payloads import encode_payload

MAX_BODY_BYTES = 65_535  # c2sp.org/tlog-tiles: entry bundles have uint16 lengths


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf's bytes, and what opens its commitments where it has any."""

    body: bytes
    payload: Payload | None = None


def encode(entries: Sequence[Entry]) -> tuple[list[bytes], list[bytes | None]]:
    """Bodies and stored payloads, one each. Raises BadInput."""
    if not entries:
        raise BadInput("nothing to append", remedy="pass at least one entry")
    bodies: list[bytes] = []
    payloads: list[bytes | None] = []
    for entry in entries:
        size = len(entry.body)
        if not 0 < size <= MAX_BODY_BYTES:
            raise BadInput(
                f"a body of {size} bytes cannot be logged",
                remedy=f"log 1 to {MAX_BODY_BYTES} bytes, and a hash of what is longer",
            )
        bodies.append(entry.body)
        payloads.append(None if entry.payload is None else encode_payload(entry.payload))
    return bodies, payloads
