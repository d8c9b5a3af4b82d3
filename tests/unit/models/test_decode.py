"""One model a defect: what the strict reader must refuse, by name."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from veridict.core.errors import BadModelBytes, UnsupportedModel
from veridict.models.canonical import CanonicalModel, decode, encode
from veridict.models.layout import Node, Tree, TreeModel

# One tree: header 32, counts 6; node 0 at 38, node 1 at 52; leaves at 66, 74, 82; end 90.
TREE = Tree((Node(0, 9, True, ~0, 1), Node(1, 8, False, ~1, ~2)), (1, -2, 3))
GOOD = encode(TreeModel(2, -7, (TREE,)))


def put(at: int, layout: str, *values: int) -> Callable[[bytearray], None]:
    return lambda data: struct.pack_into(layout, data, at, *values)


def test_the_example_is_laid_out_as_documented() -> None:
    assert len(GOOD) == 2047
    assert GOOD[:32] == bytes.fromhex(
        "56524454 01 01 20 00 0002 07ff 0001 0000 00000001 fffffffffffffff9 00000000"
    )
    assert GOOD[32:38] == bytes.fromhex("0001 0002 0003")
    assert GOOD[38:52] == bytes.fromhex("0001 0000000000000008 0034 0042")
    assert GOOD[52:66] == bytes.fromhex("0002 0000000000000008 0052 004a")
    assert GOOD[66:90] == bytes.fromhex("8000000000000001 7ffffffffffffffe 8000000000000003")
    assert decode(GOOD) == TreeModel(2, -7, (TREE,))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(put(0, ">B", 0), "magic", id="magic"),
        pytest.param(put(4, ">B", 2), "version 2", id="newer version"),
        pytest.param(put(5, ">B", 4), "kind 4", id="unknown kind"),
        pytest.param(put(5, ">B", 2), "page length 2047", id="trees called linear"),
        pytest.param(put(6, ">B", 20), "score bits 20", id="other fraction"),
        pytest.param(put(7, ">B", 1), "not zero", id="another output"),
        pytest.param(put(7, ">B", 64), "65 outputs", id="too many outputs"),
        pytest.param(put(14, ">H", 1), "reserved", id="reserved bytes 14"),
        pytest.param(put(31, ">B", 1), "reserved", id="reserved byte 31"),
        pytest.param(put(8, ">H", 0), "0 features", id="no features"),
        pytest.param(put(8, ">H", 32768), "32768 features", id="too many features"),
        pytest.param(put(8, ">H", 1), "feature 1 of 1", id="feature out of range"),
        pytest.param(put(10, ">H", 2046), "page length", id="page length"),
        pytest.param(put(10, ">H", 8188), "not 1 pages", id="longer page than file"),
        pytest.param(put(12, ">H", 0), "not 0 pages", id="no page"),
        pytest.param(put(12, ">H", 2), "not 2 pages", id="page missing"),
        pytest.param(put(16, ">I", 2), "header says 2", id="tree count"),
        pytest.param(put(16, ">I", 2**32 - 1), "more than", id="huge tree count"),
        pytest.param(put(20, ">q", -(2**63)), "int64", id="overflow by base"),
        pytest.param(put(66, ">Q", 2**64 - 1), "int64", id="overflow by leaf"),
        pytest.param(put(32, ">H", 3), "no 3 trees", id="more trees than nodes"),
        pytest.param(put(32, ">H", 0), "no 0 trees", id="nodes without a tree"),
        pytest.param(put(32, ">H", 2), "does not stand behind", id="child is a root"),
        pytest.param(put(34, ">H", 65535), "counts need", id="nodes beyond the page"),
        pytest.param(put(36, ">H", 65535), "counts need", id="leaves beyond the page"),
        pytest.param(put(36, ">H", 2), "not zero", id="leaf not counted"),
        pytest.param(put(36, ">H", 4), "belongs to no tree", id="leaf nobody reaches"),
        pytest.param(put(90, ">B", 1), "not zero", id="byte behind the leaves"),
        pytest.param(put(2046, ">B", 1), "not zero", id="last byte"),
        pytest.param(put(40, ">Q", 2**64 - 1), "largest image", id="threshold beyond images"),
        pytest.param(put(48, ">H", 38), "does not stand behind", id="loop to itself"),
        pytest.param(put(62, ">H", 52), "does not stand behind", id="loop"),
        pytest.param(put(64, ">H", 38), "does not stand behind", id="loop to the root"),
        pytest.param(put(48, ">H", 53), "offset 53", id="child inside a node"),
        pytest.param(put(48, ">H", 67), "offset 67", id="child inside a leaf"),
        pytest.param(put(48, ">H", 90), "offset 90", id="child behind the leaves"),
        pytest.param(put(48, ">H", 31), "offset 31", id="child in the header"),
        pytest.param(put(48, ">H", 0), "offset 0", id="child at the beginning"),
        pytest.param(put(48, ">H", 66), "belongs to no tree", id="node nobody reaches"),
    ],
)
def test_defects_are_named(damage: Callable[[bytearray], None], reason: str) -> None:
    data = bytearray(GOOD)
    damage(data)
    with pytest.raises(BadModelBytes, match=reason):
        decode(bytes(data))


@pytest.mark.parametrize("length", [0, 1, 31, 32, 2046, 2048, 4094])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(BadModelBytes):
        decode(GOOD.ljust(length, b"\0")[:length])


def test_two_trees_share_nothing() -> None:
    tree = Tree((Node(0, 9, True, ~0, ~1),), (1, 2))
    data = bytearray(encode(TreeModel(1, 0, (tree, tree))))
    data[38 + 14 + 10 : 38 + 28] = data[38 + 10 : 38 + 14]
    with pytest.raises(BadModelBytes, match="share"):
        decode(bytes(data))


def test_a_later_page_has_trees() -> None:
    data = bytearray(GOOD + bytes(2047))
    data[12:14] = b"\0\2"
    with pytest.raises(BadModelBytes, match="page 1: it holds no tree"):
        decode(bytes(data))


def path(length: int) -> TreeModel:
    nodes = [Node(0, 1 + n, False, ~0, n + 1) for n in range(length - 1)]
    return TreeModel(1, 0, (Tree((*nodes, Node(0, 999, False, ~0, ~1)), (1, 2)),))


def test_paths_end_in_time() -> None:
    decode(encode(path(255)))
    with pytest.raises(BadModelBytes, match="longer than 255"):
        decode(encode(path(256)))


def test_a_model_without_trees_is_its_base() -> None:
    model = CanonicalModel(encode(TreeModel(3, -5, ())))
    assert model.score_one(bytes(24)) == -5


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (TreeModel(0, 0, ()), "features"),
        (TreeModel(32768, 0, ()), "features"),
        (TreeModel(1, 2**63, ()), "int64"),
        (TreeModel(1, 0, (Tree((Node(0, 1, False, ~0, ~1),) * 372, (0,) * 371),)), "fit a page"),
    ],
)
def test_what_the_format_cannot_hold_is_not_written(model: TreeModel, reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        encode(model)
