"""Saved state as bytes: magic, SHA-256 of the rest, length of the head, head (JSON), arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput

Array = NDArray[Any]


def pack(magic: bytes, head: dict[str, Any], arrays: Sequence[Array]) -> bytes:
    """Arrays little-endian, in order; their shapes and types are the reader's to know."""
    little = [np.ascontiguousarray(a, a.dtype.newbyteorder("<")) for a in arrays]
    top = canonical_json({**head, "lengths": [len(a) for a in arrays]})
    body = len(top).to_bytes(8, "big") + top + b"".join(a.tobytes() for a in little)
    return magic + sha256(body).digest() + body


def unpack(
    magic: bytes, saved: bytes, head: dict[str, Any], kinds: Sequence[Any]
) -> tuple[dict[str, Any], list[Array]]:
    """The head and the arrays, each with its dtype of `kinds` and writable.

    Raises BadInput if `saved` is damaged, of another magic, or where an entry of `head` is
    another one in the saved head.
    """
    start = len(magic) + 32
    body = saved[start:]
    if not saved.startswith(magic) or sha256(body).digest() != saved[len(magic) : start]:
        raise BadInput(
            "the saved state is damaged, or of another kind",
            remedy="replay the stream from its start",
        )
    at = 8 + int.from_bytes(body[:8], "big")
    found = json.loads(body[8:at])
    for name, value in head.items():
        if found.get(name) != value:
            raise BadInput(
                f"the saved state has {name} {found.get(name)}, not {value}",
                remedy="restore into one that was made the same way",
                name=name,
            )
    arrays = []
    for kind, length in zip(kinds, found["lengths"], strict=True):
        little = np.dtype(kind).newbyteorder("<")
        size = length * little.itemsize
        arrays.append(np.frombuffer(body[at : at + size], little).astype(kind))
        at += size
    return found, arrays
