"""Tiles as c2sp.org/tlog-tiles describes them, and the edge that grows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.ledger import slow_root
from veridict.core.errors import StorageFailed
from veridict.ledger.tiles import Tile, TileNodes, TreeEdge, load_edge
from veridict.proofs.merkle import leaf_hashes, pair_up, root_from_leaf_hashes
from veridict.proofs.prover import range_root

LEAVES = leaf_hashes(b"%d" % i for i in range(70_000))


def grown(steps: list[int]) -> tuple[TreeEdge, dict[tuple[int, int], Tile]]:
    """The edge and the stored tiles after appending batches of these sizes."""
    edge, stored, at = TreeEdge(), dict[tuple[int, int], Tile](), 0
    for step in steps:
        edge, tiles = edge.extended(LEAVES[at : at + step])
        stored.update({(tile.level, tile.n): tile for tile in tiles})
        at += step
    return edge, stored


def reader(stored: dict[tuple[int, int], Tile]) -> Callable[[int, int], Tile | None]:
    return lambda level, n: stored.get((level, n))


def test_the_specification_s_tree_of_70_000() -> None:
    edge, stored = grown([70_000])
    widths = Counter((tile.level, len(tile.hashes) // 32) for tile in stored.values())
    assert widths == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert [len(row) // 32 for row in edge.partial] == [112, 17, 1]


def test_the_specification_s_tree_of_256() -> None:
    _, stored = grown([256])
    assert {(t.level, t.n, len(t.hashes) // 32) for t in stored.values()} == {
        (0, 0, 256),
        (1, 0, 1),
    }


def test_tiles_do_not_depend_on_how_the_leaves_came() -> None:
    whole = grown([70_000])
    for steps in ([1] * 600 + [69_400], [255, 1, 256, 257, 65_000, 4231], [65_536, 4464]):
        assert grown(steps) == whole


def test_an_edge_is_read_back_from_its_tiles() -> None:
    for size in (0, 1, 255, 256, 257, 65_535, 65_536, 65_537):
        edge, stored = grown([size]) if size else (TreeEdge(), {})
        assert load_edge(size, reader(stored)) == edge


def test_an_edge_whose_tile_is_gone_is_damaged() -> None:
    for missing in ((0, 2), (1, 0)):
        _, stored = grown([600])
        del stored[missing]
        with pytest.raises(StorageFailed):
            load_edge(600, reader(stored))


def test_every_node_is_the_root_of_its_leaves() -> None:
    _, stored = grown([70_000])
    nodes = TileNodes(reader(stored))
    for level in range(17):
        for index in {0, (70_000 >> level) - 1}:
            expected = root_from_leaf_hashes(LEAVES[index << level : (index + 1) << level])
            assert nodes(level, index) == expected
    assert range_root(0, 70_000, nodes) == root_from_leaf_hashes(LEAVES)


def test_a_cached_partial_tile_is_read_again_when_it_has_grown() -> None:
    edge, stored = grown([3])
    nodes = TileNodes(reader(stored))
    assert nodes(0, 2) == LEAVES[2]
    _, tiles = edge.extended(LEAVES[3:8])
    stored.update({(tile.level, tile.n): tile for tile in tiles})
    assert nodes(3, 0) == root_from_leaf_hashes(LEAVES[:8])


def test_a_node_that_is_not_there_is_damage() -> None:
    _, stored = grown([3])
    with pytest.raises(StorageFailed):
        TileNodes(reader(stored))(2, 0)


def test_pairing_rows_up_is_the_tree() -> None:
    assert pair_up(b"".join(LEAVES[:8]), 3) == slow_root([b"%d" % i for i in range(8)])
    assert pair_up(LEAVES[0], 0) == LEAVES[0]
