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
_ABOVE = TILE_HEIGHT - MIDDLE_HEIGHT
_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_CACHED_NODES = 1 << 16  # about 10 MB; a full cache is emptied, since all of it can be read again
_CACHED_TILES = 1 << 12  # about 36 MB: the tiles of a million records


@dataclass(frozen=True, slots=True)
class Tile:
    """One row: `hashes` are 1 to 256 hashes; `middle` 16 of them, in full tiles only."""

    level: int
    n: int
    hashes: bytes
    middle: bytes | None


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """The tiles that are not full yet: `partial[level]` holds their hashes, back to back."""

    size: int = 0
    partial: tuple[bytes, ...] = ()

    def extended(self, leaves: Sequence[bytes]) -> tuple[TreeEdge, list[Tile]]:
        """The edge after `leaves`, and the tiles that changed. `self` stays as it is."""
        tiles: list[Tile] = []
        partial: list[bytes] = []
        carry = b"".join(leaves)  # what the level below hands up
        while carry or len(partial) < len(self.partial):
            level = len(partial)
            row = (self.partial[level] if level < len(self.partial) else b"") + carry
            if carry:
                made = _cut(level, self.size >> TILE_HEIGHT * (level + 1), row)
                full = [tile for tile in made if tile.middle is not None]
                tiles += made
                row = row[len(full) * _TILE_BYTES :]
                carry = b"".join([pair_up(t.middle, _ABOVE) for t in full if t.middle])
            partial.append(row)
        return TreeEdge(self.size + len(leaves), tuple(partial)), tiles

    def tiles(self) -> list[Tile]:
        """The tiles that are not full: with the full ones they are the whole tree."""
        return [
            Tile(level, self.size >> TILE_HEIGHT * (level + 1), row, None)
            for level, row in enumerate(self.partial)
            if row
        ]


def _cut(level: int, n: int, row: bytes) -> list[Tile]:
    """`row` as tiles from number `n` on; the last one may be partial."""
    tiles: list[Tile] = []
    for start in range(0, len(row), _TILE_BYTES):
        hashes = row[start : start + _TILE_BYTES]
        full = len(hashes) == _TILE_BYTES
        middle = pair_up(hashes, MIDDLE_HEIGHT) if full else None
        tiles.append(Tile(level, n + len(tiles), hashes, middle))
    return tiles


def load_edge(size: int, fetch: Callable[[int, int], Tile | None]) -> TreeEdge:
    """The edge of a tree of `size` leaves. Raises StorageFailed if a tile of it is not there."""
    partial: list[bytes] = []
    while size >> TILE_HEIGHT * len(partial):
        level = len(partial)
        width = (size >> TILE_HEIGHT * level) % TILE_WIDTH
        n = size >> TILE_HEIGHT * (level + 1)
        tile = fetch(level, n) if width else None
        partial.append(tile.hashes if tile else b"")
        if len(partial[-1]) != width * HASH_BYTES:
            raise _damaged(level, n)
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
        first = (index << height) % TILE_WIDTH
        tile = self._tile(tile_level, index >> (TILE_HEIGHT - height), first + (1 << height))
        row = tile.hashes
        if height >= MIDDLE_HEIGHT and tile.middle:
            height -= MIDDLE_HEIGHT
            row, first = tile.middle, first >> MIDDLE_HEIGHT
        return pair_up(row[first * HASH_BYTES : (first + (1 << height)) * HASH_BYTES], height)

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


def _damaged(level: int, n: int) -> StorageFailed:
    return StorageFailed(
        f"tile {n} of level {level} is missing or too short",
        remedy="put back a backup and audit it",
        level=level,
        tile=n,
    )
