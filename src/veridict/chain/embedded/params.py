"""JSON-RPC parameters, checked: each function returns a value or raises Fault(INVALID_PARAMS)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from veridict.chain.embedded.faults import INVALID_PARAMS, Fault

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")
_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")
UINT64_MAX = 2**64 - 1


def invalid(what: str) -> Fault:
    return Fault(INVALID_PARAMS, f"invalid params: {what}")


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def arguments(params: Sequence[Any], least: int, most: int) -> list[Any]:
    """The parameters, filled with None up to `most`."""
    if not least <= len(params) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise invalid(f"{wanted} wanted, {len(params)} given")
    return [*params, *[None] * (most - len(params))]


def quantity(value: object) -> int:
    """An integer of at most 256 bits as 0x and digits."""
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise invalid(f"{shown(value)} is not a quantity (0x and hex digits, at most 32 bytes)")
    return int(value, 16)


def uint64(value: object) -> int:
    number = quantity(value)
    if number > UINT64_MAX:
        raise invalid(f"{shown(value)} is larger than 64 bits")
    return number


def data(value: object) -> bytes:
    if not isinstance(value, str) or not _BYTES.match(value):
        raise invalid(f"{shown(value)} is not hex data (0x and two digits a byte)")
    return bytes.fromhex(value[2:])


def sized(value: object, size: int, what: str) -> bytes:
    raw = data(value)
    if len(raw) != size:
        raise invalid(f"{what} has {size} bytes, {shown(value)} has {len(raw)}")
    return raw


def address(value: object) -> bytes:
    return sized(value, 20, "an address")


def word(value: object) -> bytes:
    return sized(value, 32, "a hash")


def mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{shown(value)} is not an object")
    return value


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{shown(value)} is neither true nor false")
    return value


def one_or_many(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
