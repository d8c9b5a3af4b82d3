"""Universal Binary JSON, as XGBoost writes it: read as data, nothing executed.

value   = one letter of type, then big-endian bytes
object  = {  (key length, key bytes, value) …  }
array   = [ value … ]   or   [ # count, values …   or   [ $ type # count, bare values …
"""

from __future__ import annotations

import struct
from typing import Any

_NUMBERS = {
    b"i": struct.Struct(">b"), b"U": struct.Struct(">B"), b"I": struct.Struct(">h"),
    b"l": struct.Struct(">i"), b"L": struct.Struct(">q"), b"d": struct.Struct(">f"),
    b"D": struct.Struct(">d"),
}  # fmt: skip
_WORDS = {b"Z": None, b"T": True, b"F": False}
_MAX_DEPTH = 32


def read(data: bytes) -> Any:
    """The value that `data` holds. Raises ValueError where it is no whole UBJSON value."""
    reader = _Reader(data)
    value = reader.value(reader.take(1), 0)
    if reader.at != len(data):
        raise ValueError(f"{len(data) - reader.at} bytes stand behind the end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(f"it ends within a value at byte {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def value(self, kind: bytes, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        if kind in _NUMBERS:
            return _NUMBERS[kind].unpack(self.take(_NUMBERS[kind].size))[0]
        if kind in _WORDS:
            return _WORDS[kind]
        if kind in (b"S", b"C"):
            return self.text() if kind == b"S" else self.take(1).decode()
        if kind == b"{":
            return self.mapping(depth)
        if kind == b"[":
            return self.array(depth)
        raise ValueError(f"byte {self.at - 1} is no type: {kind!r}")

    def count(self) -> int:
        value = self.value(self.take(1), _MAX_DEPTH)
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{value!r} is no length")
        return value

    def text(self) -> str:
        return self.take(self.count()).decode()

    def mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            key = self.text()
            found[key] = self.value(self.take(1), depth + 1)
        self.take(1)
        return found

    def array(self, depth: int) -> list[Any]:
        kind = b""
        if self.data[self.at : self.at + 1] == b"$":
            kind = self.take(2)[1:]
        if self.data[self.at : self.at + 1] == b"#":
            self.take(1)
            count = self.count()
            if kind in _NUMBERS:
                letter, size = _NUMBERS[kind].format[1:], _NUMBERS[kind].size
                return list(struct.unpack(f">{count}{letter}", self.take(count * size)))
            if count > len(self.data) - self.at:  # an element takes a byte at least
                raise ValueError(f"{count} elements do not fit the data")
            return [self.value(kind or self.take(1), depth + 1) for _ in range(count)]
        found = []
        while (kind := self.take(1)) != b"]":
            found.append(self.value(kind, depth + 1))
        return found
