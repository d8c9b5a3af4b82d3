"""The tree on disk: tiles of 256 hashes, as https://c2sp.org/tlog-tiles lays them out.

Tile (level, n) holds the roots of leaves [(256n + i)·256^level, (256n + i + 1)·256^level)
for i = 0.. up to 255. Appending touches the right edge alone; a proof reads one
tile a level. Full tiles also keep their 16 nodes of height 4, because then a
node inside costs at most 15 hashes instead of 127.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veridict.core.errors import StorageFailed
from veridict.proofs.merkle import HASH_BYTES, pair_up

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MIDDLE_HEIGHT = 4
_CACHED_NODES = 1 << 16  # about 10 MB; a full cache is emptied, since all of it can be read again
_CACHED_TILES = 1 << 10  # about 9 MB


@dataclass(frozen=True, slots=True)
class Tile:
    """One row: `hashes` are 1 to 256 hashes; `middle` 16 of them, in full tiles only."""

    level: int
    n: int
    hashes: bytes
    middle: bytes | None


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """The tiles that are not full yet: `partial[level]` holds their hashes."""

    size: int = 0
    partial: tuple[tuple[bytes, ...], ...] = ()

    def extended(self, leaves: Sequence[bytes]) -> tuple[TreeEdge, list[Tile]]:
        """The edge after `leaves`, and the tiles that changed. `self` stays as it is."""
        tiles: list[Tile] = []
        partial: list[tuple[bytes, ...]] = []
        carry: Sequence[bytes] = leaves  # what the level below hands up
        while carry or len(partial) < len(self.partial):
            level = len(partial)
            kept = self.partial[level] if level < len(self.partial) else ()
            if not carry:
                partial.append(kept)
                continue
            n = self.size >> TILE_HEIGHT * (level + 1)
            full, rest = _fill(level, n, (*kept, *carry))
            tiles += [tile for tile, _ in full]
            if rest.hashes:
                tiles.append(rest)
            partial.append(tuple(_split(rest.hashes)))
            carry = [root for _, root in full]
        return TreeEdge(self.size + len(leaves), tuple(partial)), tiles


def _fill(level: int, n: int, hashes: Sequence[bytes]) -> tuple[list[tuple[Tile, bytes]], Tile]:
    """Full tiles from number `n` on, each with its root, and the partial one that is left."""
    full: list[tuple[Tile, bytes]] = []
    end = len(hashes) - len(hashes) % TILE_WIDTH
    for start in range(0, end, TILE_WIDTH):
        row = hashes[start : start + TILE_WIDTH]
        middle = _climb(row, MIDDLE_HEIGHT)
        (root,) = _climb(middle, TILE_HEIGHT - MIDDLE_HEIGHT)
        full.append((Tile(level, n + len(full), b"".join(row), b"".join(middle)), root))
    return full, Tile(level, n + len(full), b"".join(hashes[end:]), None)


def load_edge(size: int, fetch: Callable[[int, int], Tile | None]) -> TreeEdge:
    """The edge of a tree of `size` leaves. Raises StorageFailed if a tile of it is not there."""
    partial: list[tuple[bytes, ...]] = []
    level = 0
    while size >> TILE_HEIGHT * level:
        width = (size >> TILE_HEIGHT * level) % TILE_WIDTH
        n = size >> TILE_HEIGHT * (level + 1)
        tile = fetch(level, n) if width else None
        found = len(tile.hashes) if tile else 0
        if found != width * HASH_BYTES:
            raise _damaged(level, n)
        partial.append(tuple(_split(tile.hashes)) if tile else ())
        level += 1
    return TreeEdge(size, tuple(partial))


class TileNodes:
    """Roots of full subtrees, read from tiles: the `Nodes` that `proofs.prover` asks for."""

    __slots__ = ("_fetch", "_nodes", "_tiles")

    def __init__(self, fetch: Callable[[int, int], Tile | None]) -> None:
        self._fetch = fetch
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._tiles: dict[tuple[int, int], Tile] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Root of leaves [index·2^level, (index+1)·2^level). StorageFailed if it is not there."""
        node = self._nodes.get((level, index))
        if node is None:
            node = self._read(level, index)
            if len(self._nodes) >= _CACHED_NODES:
                self._nodes.clear()
            self._nodes[level, index] = node
        return node

    def _read(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        n = index >> (TILE_HEIGHT - height)
        first = (index << height) % TILE_WIDTH
        tile = self._tile(tile_level, n, first + (1 << height))
        if height >= MIDDLE_HEIGHT and tile.middle:
            height -= MIDDLE_HEIGHT
            row, first = tile.middle, first >> MIDDLE_HEIGHT
        else:
            row = tile.hashes
        if height == 0:
            return row[first * HASH_BYTES : (first + 1) * HASH_BYTES]
        (node,) = _climb(_split(row, first, first + (1 << height)), height)
        return node

    def _tile(self, level: int, n: int, width: int) -> Tile:
        """The tile with at least `width` hashes; a cached partial one may have grown since."""
        tile = self._tiles.get((level, n))
        if tile is None or len(tile.hashes) < width * HASH_BYTES:
            tile = self._fetch(level, n)
            if tile is None or len(tile.hashes) < width * HASH_BYTES:
                raise _damaged(level, n)
            if len(self._tiles) >= _CACHED_TILES:
                self._tiles.clear()
            self._tiles[level, n] = tile
        return tile


def _climb(hashes: Sequence[bytes], height: int) -> Sequence[bytes]:
    for _ in range(height):
        hashes = pair_up(hashes)
    return hashes


def _split(row: bytes, start: int = 0, stop: int = TILE_WIDTH) -> list[bytes]:
    """Hashes start .. stop - 1 of a row, as far as it goes."""
    end = min(len(row), stop * HASH_BYTES)
    return [row[i : i + HASH_BYTES] for i in range(start * HASH_BYTES, end, HASH_BYTES)]


def _damaged(level: int, n: int) -> StorageFailed:
    return StorageFailed(
        f"tile {n} of level {level} is missing or too short",
        remedy="put back a backup and audit it",
        level=level,
        tile=n,
    )
