"""Paths and entry bundles of https://c2sp.org/tlog-tiles.

    checkpoint
    tile/<L>/<N>[.p/<W>]         W hashes of 32 bytes; 256 without suffix
    tile/entries/<N>[.p/<W>]     W entries, each a big-endian uint16 length and its bytes

<N> is written in groups of three digits, all but the last behind an x: x001/x234/067.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.merkle import MAX_SIZE

CHECKPOINT = "checkpoint"
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)
_LENGTH = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class TilePath:
    """Where tile or bundle `n` lies; `level` None means entries, `width` 256 a full one."""

    level: int | None
    n: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        level_fits = self.level is None or 0 <= self.level <= MAX_LEVEL
        span = TILE_HEIGHT * ((self.level or 0) + 1)
        if not (level_fits and 0 <= self.n <= MAX_SIZE >> span and 0 < self.width <= TILE_WIDTH):
            _no_path(f"level {self.level}, number {self.n}, width {self.width} is no tile")

    @property
    def text(self) -> str:
        kind = "entries" if self.level is None else str(self.level)
        suffix = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{_groups(self.n)}{suffix}"

    @classmethod
    def parse(cls, text: str) -> TilePath:
        """Raises BadInput unless `text` is the one spelling of a tile's path."""
        match = _PATH.fullmatch(text)
        if match is None:
            _no_path(f"{text[:100]!r} is no path of a tile")
        kind, groups, width = match.groups()
        digits = groups.replace("x", "").replace("/", "")
        if len(digits) > 21:  # a uint64 has 20
            _no_path("its number is too long")
        level = None if kind == "entries" else int(kind)
        path = cls(level, int(digits), TILE_WIDTH if width is None else int(width))
        if path.text != text:  # x000/ in front, or .p/256
            _no_path(f"{text[:100]!r} is not spelled as {path.text}")
        return path


def hashes_at(level: int, size: int) -> int:
    """How many hashes level `level` has in a tree of `size` leaves: full subtrees only."""
    return size >> (TILE_HEIGHT * level)


def width_of(path: TilePath, size: int) -> int:
    """How wide that tile is in a tree of `size` leaves; 0 where the tree has none of it."""
    return max(0, min(TILE_WIDTH, hashes_at(path.level or 0, size) - path.n * TILE_WIDTH))


def paths_between(old_size: int, size: int) -> Iterator[TilePath]:
    """Tiles and bundles of a tree of `size` leaves that one of `old_size` has not: in order."""
    level = 0
    while hashes_at(level, size):
        first = hashes_at(level, old_size) // TILE_WIDTH
        count = hashes_at(level, size)
        for n in range(first, (count + TILE_WIDTH - 1) // TILE_WIDTH):
            width = min(TILE_WIDTH, count - n * TILE_WIDTH)
            if width <= hashes_at(level, old_size) - n * TILE_WIDTH:
                continue  # the older tree has this very tile
            if level == 0:
                yield TilePath(None, n, width)
            yield TilePath(level, n, width)
        level += 1


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Raises BadInput for an entry over 65,535 bytes, which the format cannot hold."""
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise BadInput(
                f"an entry of {len(entry)} bytes does not fit a bundle",
                remedy=f"log at most {MAX_ENTRY_BYTES} bytes, and a hash of what is longer",
            )
    return b"".join([_LENGTH.pack(len(entry)) + entry for entry in entries])


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Exactly `width` entries. Raises EvidenceError ("bundle.malformed")."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        start = at + _LENGTH.size
        if start > len(data):
            _bad_bundle("it ends inside a length")
        at = start + int.from_bytes(data[start - _LENGTH.size : start], "big")
        if at > len(data):
            _bad_bundle("it ends inside an entry")
        entries.append(data[start:at])
    if len(entries) != width or at != len(data):
        _bad_bundle(f"it does not hold {width} entries and nothing else")
    return entries


def _groups(n: int) -> str:
    last = f"{n % 1000:03d}"
    while n := n // 1000:
        last = f"x{n % 1000:03d}/{last}"
    return last


def _no_path(why: str) -> NoReturn:
    raise BadInput(
        why, remedy="ask for tile/LEVEL/NUMBER or tile/entries/NUMBER as c2sp.org/tlog-tiles has it"
    )


def _bad_bundle(why: str) -> NoReturn:
    raise EvidenceError(
        f"this is no entry bundle: {why}",
        remedy="fetch it again from the log; if it stays so, the log is damaged",
        finding="bundle.malformed",
    )
