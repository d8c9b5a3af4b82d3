"""Canonical bytes: the only two encodings that are ever hashed or signed.

1. `canonical_json`: a profile of JSON in which RFC 8785 has no choices left.
   Keys are strings of the Basic Multilingual Plane, sorted; integers are
   smaller than 2^53 in magnitude; larger numbers, decimals and bytes are
   strings; floats do not exist.
2. Fixed binary layouts (`core.nouns`), big-endian, for what is hot or read by
   a contract.

`commit` is the salted commitment under which anything personal is logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from veridict.core.errors import BadInput

JsonValue = None | bool | int | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

MAX_JSON_INT = 2**53 - 1  # RFC 8785 §3.2.2.3: beyond it IEEE doubles skip integers
SALT_BYTES = 32
MAX_DEPTH = 64  # of JSON that is read; what we write nests less than ten deep
_TEXT, _BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL), re.compile(rb"[\[\]{}]")

TAG_REQUEST = b"R"
TAG_INPUTS = b"I"
TAG_SAID = b"D"  # what a person wrote, or a list that only the log's keeper may read
TAG_SUBJECT = b"S"  # whose data was erased


def canonical_json(value: JsonValue) -> bytes:
    """`value` in the restricted profile, as UTF-8. Equal to RFC 8785 inside the profile.

    Raises BadInput for a float, an integer of 2^53 or more, a key that is not
    a BMP string, or a lone surrogate.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def parse_json(data: bytes, **options: Any) -> Any:
    """`json.loads(data, **options)`, refusing with ValueError what nests deeper than MAX_DEPTH.

    `json` recurses as deep as its input, and where a library has raised Python's
    recursion limit a hostile document ends the process instead of raising.
    """
    if nesting(data) > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
    return json.loads(data, **options)


def nesting(data: bytes) -> int:
    """How deep brackets nest outside of texts."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def sha256_hex(data: bytes) -> str:
    return sha256(data).hexdigest()


def commit(tag: bytes, salt: bytes, content: bytes) -> bytes:
    """SHA-256(tag ‖ salt ‖ content): binding, and hiding while `salt` (32 bytes) is secret."""
    return sha256(tag + salt + content).digest()


def _check(value: object) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > MAX_JSON_INT:
            raise BadInput(
                f"integer {value} does not fit canonical JSON",
                remedy="pass numbers of 2^53 or more as decimal strings",
            )
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or max(key, default="") > "\uffff":
                raise BadInput(
                    f"key {key!r} is not a string of the Basic Multilingual Plane",
                    remedy="use plain string keys",
                )
            _check_text(key)
            _check(item)
    elif isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        for item in value:
            _check(item)
    else:
        raise BadInput(
            f"{type(value).__name__} has no canonical JSON form",
            remedy="pass floats and decimals as strings, bytes as hex strings",
        )


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise BadInput("text holds a lone surrogate", remedy="pass valid Unicode text") from problem
