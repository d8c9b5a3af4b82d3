"""The tree on disk: tiles of 256 hashes, as https://c2sp.org/tlog-tiles lays them out.

Tile (level, n) holds the roots of leaves [(256n + i)·256^level, (256n + i + 1)·256^level)
for i = 0.. up to 255. Appending touches the right edge alone; a proof reads one
tile a level. Full tiles also keep their 64, 16 and 4 nodes of heights 2, 4 and 6, 10 bytes a
record, because then a node inside costs at most one hash instead of 127.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from veridict.core.errors import StorageFailed
from veridict.proofs.merkle import HASH_BYTES, fold, pair_up

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
_STEP = 2  # heights from one kept row to the next
_GROUP = 1 << _STEP
_GROUP_BYTES = _GROUP * HASH_BYTES
_ROWS = TILE_HEIGHT // _STEP  # in a tile: its hashes, and those in `middle`
_ROW_AT = (0, 0, 64 * HASH_BYTES, 80 * HASH_BYTES)  # where the rows of `middle` begin; 84 hashes
_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_CACHED_NODES = 1 << 12  # about 1 MB
_CACHED_GROUPS = 1 << 15  # about 10 MB
_CACHED_TILES = 1 << 12  # about 44 MB: the tiles of a million records

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tile:
    """One row: `hashes` are 1 to 256 hashes; `middle` 84 above them, in full tiles only."""

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
                tops = [t.middle[_ROW_AT[-1] :] for t in full if t.middle]
                carry = pair_up(b"".join(tops), _STEP)
            partial.append(row)
        return TreeEdge(self.size + len(leaves), tuple(partial)), tiles

    def root(self) -> bytes:
        """Root of the tree; EMPTY_ROOT for none."""
        roots: list[bytes] = []  # of the full subtrees, largest first
        for row in reversed(self.partial):
            start = 0
            for height in reversed(range(TILE_HEIGHT)):
                if len(row) // HASH_BYTES >> height & 1:
                    stop = start + (HASH_BYTES << height)
                    roots.append(pair_up(row[start:stop], height))
                    start = stop
        return fold(roots)

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
        middle = _middle(hashes) if full else None
        tiles.append(Tile(level, n + len(tiles), hashes, middle))
    return tiles


def _middle(hashes: bytes) -> bytes:
    rows: list[bytes] = []
    for _ in range(_ROWS - 1):
        hashes = pair_up(hashes, _STEP)
        rows.append(hashes)
    return b"".join(rows)


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
    """Roots of full subtrees, read from tiles: the `Nodes` that `proofs.prover` asks for.

    Four at a time: group (k, g) is nodes 4g .. 4g + 3 of level 2k, which tiles keep, and behind
    them the two above, which are hashed once and serve every proof that passes there.
    """

    __slots__ = ("_fetch", "_groups", "_nodes", "_tiles")

    def __init__(self, fetch: Callable[[int, int], Tile | None]) -> None:
        self._fetch = fetch
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._groups: dict[tuple[int, int], bytes] = {}
        self._tiles: dict[tuple[int, int], Tile] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Root of leaves [index·2^level, (index+1)·2^level). StorageFailed if it is not there."""
        node = self._nodes.get((level, index))
        if node is None:
            node = _kept(self._nodes, (level, index), self._read(level, index), _CACHED_NODES)
        return node

    def _read(self, level: int, index: int) -> bytes:
        k, height = divmod(level, _STEP)
        at = index & (_GROUP - 1 >> height)
        row = self._row(k, index >> _STEP - height, at + 1 << height)
        return pair_up(row[(at << height) * HASH_BYTES : (at + 1 << height) * HASH_BYTES], height)

    def siblings(self, index: int, levels: int) -> list[bytes]:
        """The nodes beside those above leaf `index` at levels 0 .. levels - 1.

        The node above them all, at level `levels`, is full.
        """
        found: list[bytes] = []
        for k in range(levels // _STEP):
            low = (index & 3 ^ 1) * HASH_BYTES
            high = _GROUP_BYTES + (index >> 1 & 1 ^ 1) * HASH_BYTES
            index >>= _STEP
            group = self._groups.get((k, index)) or self._group(k, index)
            found += (group[low : low + HASH_BYTES], group[high : high + HASH_BYTES])
        if levels % _STEP:
            found.append(self(levels - 1, index ^ 1))
        return found

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Leaf hashes start .. stop - 1."""
        found: list[bytes] = []
        while start < stop:
            n, first = divmod(start, TILE_WIDTH)
            width = min(TILE_WIDTH, first + stop - start)
            row = self._tile(0, n, width).hashes
            found += [row[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(first, width)]
            start += width - first
        return found

    def _group(self, k: int, g: int) -> bytes:
        row = self._row(k, g, _GROUP)
        return _kept(self._groups, (k, g), row + pair_up(row), _CACHED_GROUPS)

    def _row(self, k: int, g: int, width: int) -> bytes:
        """The nodes of level 2k in group g, as far as they are there."""
        level, row = divmod(k, _ROWS)
        height = _STEP * row
        n, at = divmod(g, TILE_WIDTH // _GROUP >> height)
        tile = self._tile(level, n, at * _GROUP + width << height)
        if row and tile.middle:
            start = _ROW_AT[row] + at * _GROUP_BYTES
            return tile.middle[start : start + _GROUP_BYTES]
        start = at * _GROUP_BYTES << height
        stop = min(start + (_GROUP_BYTES << height), len(tile.hashes))
        stop -= (stop - start) % (HASH_BYTES << height)  # of full nodes alone
        return pair_up(tile.hashes[start:stop], height)

    def _tile(self, level: int, n: int, width: int) -> Tile:
        """The tile with at least `width` hashes; a cached partial one may have grown since."""
        tile = self._tiles.get((level, n))
        if tile is None or len(tile.hashes) < width * HASH_BYTES:
            tile = self._fetch(level, n)
            if tile is None or len(tile.hashes) < width * HASH_BYTES:
                raise _damaged(level, n)
            _kept(self._tiles, (level, n), tile, _CACHED_TILES)
        return tile


def _kept(cache: dict[tuple[int, int], T], key: tuple[int, int], value: T, most: int) -> T:
    """`value`, kept in `cache`; a full one is emptied, since all of it can be read again."""
    if len(cache) >= most:
        cache.clear()
    cache[key] = value
    return value


def _damaged(level: int, n: int) -> StorageFailed:
    return StorageFailed(
        f"tile {n} of level {level} is missing or too short",
        remedy="put back a backup and audit it",
        level=level,
        tile=n,
    )
