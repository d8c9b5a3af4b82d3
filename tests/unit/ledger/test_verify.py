"""Every tampering with a stored log is found and named."""

from __future__ import annotations

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_entry
from veridict.ledger.verify import check_log
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.note import Signer


@pytest.fixture
def signed(kept: Kept) -> Kept:
    with kept.open() as log:
        for start in (0, 300):
            log.append([make_entry(str(start + i)) for i in range(300)])
            log.checkpoint()
        assert check_log(log) == []
    return kept


def tampered(kept: Kept, sql: str, *args: object) -> list[tuple[str, str]]:
    assert kept.change(sql, *args) > 0
    with kept.readonly() as log:
        return [(finding.code, finding.where) for finding in check_log(log)]


def test_an_edited_body(signed: Kept) -> None:
    found = tampered(signed, "UPDATE record SET body = ? WHERE idx = 17", b"\0")
    assert found == [("record.altered", "record 17")]


def test_dropped_records_first_middle_and_last(signed: Kept) -> None:
    found = tampered(signed, "DELETE FROM record WHERE idx IN (0, 255, 599)")
    assert found == [("record.missing", f"record {i}") for i in (0, 255, 599)]


def test_a_record_slipped_in_behind_the_tree(signed: Kept) -> None:
    found = tampered(signed, "INSERT INTO record VALUES (601, ?)", b"\1")
    assert found == [("record.surplus", "record 601")]


def test_swapped_records(signed: Kept) -> None:
    five, six = make_entry("5").body, make_entry("6").body
    sql = "UPDATE record SET body = CASE idx WHEN 5 THEN ? ELSE ? END WHERE idx IN (5, 6)"
    found = tampered(signed, sql, six, five)
    assert found == [("record.altered", "record 5"), ("record.altered", "record 6")]


def zeroed(kept: Kept, column: str, level: int) -> list[tuple[str, str]]:
    """What is found where the first hash of the first tile of a level was cleared."""
    where = f"WHERE level = {level} AND n = 0"
    hashes: bytes = kept.value(f"SELECT {column} FROM tile {where}")
    return tampered(kept, f"UPDATE tile SET {column} = ? {where}", bytes(32) + hashes[32:])


def test_an_edited_leaf_of_the_tree(signed: Kept) -> None:
    found = zeroed(signed, "hashes", 0)
    assert found == [
        ("record.altered", "record 0"),
        ("tile.altered", "tile 0 of level 0"),  # its middle is not what the leaves make
        ("tile.altered", "tile 0 of level 1"),
        ("log.forked", "checkpoint 0"),
        ("log.forked", "checkpoint 1"),
    ]


@pytest.mark.parametrize(("column", "level"), [("hashes", 1), ("middle", 0)])
def test_an_edited_inner_node(signed: Kept, column: str, level: int) -> None:
    assert zeroed(signed, column, level) == [("tile.altered", f"tile 0 of level {level}")]


def test_a_dropped_tile_of_inner_nodes(signed: Kept) -> None:
    found = tampered(signed, "DELETE FROM tile WHERE level = 1")
    assert found == [("tile.altered", "tile 0 of level 1")]


def test_a_dropped_tile_of_leaves(signed: Kept) -> None:
    found = tampered(signed, "DELETE FROM tile WHERE level = 0 AND n = 1")
    assert found == [("tile.altered", "tile 1 of level 0")]


def test_an_edited_checkpoint(signed: Kept) -> None:
    found = tampered(
        signed, "UPDATE checkpoint SET note = replace(note, '600', '599') WHERE id = 2"
    )
    assert ("note.signature", "checkpoint 1") in found


def test_a_checkpoint_that_is_no_note(signed: Kept) -> None:
    found = tampered(signed, "UPDATE checkpoint SET note = 'x' WHERE id = 1")
    assert found == [("note.malformed", "checkpoint 0")]


def test_a_checkpoint_by_another_key(signed: Kept) -> None:
    with signed.readonly() as log:
        head = Checkpoint(log.origin, 600, log.root())
    forged = SignedCheckpoint.sign(head, Signer.generate(head.origin)).text
    found = tampered(signed, "UPDATE checkpoint SET note = ? WHERE id = 2", forged)
    assert found == [("note.unsigned", "checkpoint 1")]


def test_a_history_cut_short_behind_its_checkpoint(signed: Kept) -> None:
    signed.change("DELETE FROM tile WHERE level = 0 AND n = 2")
    signed.change("DELETE FROM record WHERE idx >= 512")
    with signed.readonly() as log:
        assert log.size == 512
        assert [(f.code, f.where) for f in check_log(log)] == [("log.rolled-back", "checkpoint 1")]


def test_an_edited_tile_that_the_last_records_did_not_touch(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry(str(i)) for i in range(4096 + 10)])
        assert check_log(log) == []
    assert zeroed(kept, "hashes", 1) == [("tile.altered", "tile 0 of level 1")]
