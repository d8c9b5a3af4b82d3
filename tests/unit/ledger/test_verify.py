"""Every tampering with a stored log is found and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.ledger import make_entry, make_signer
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.note import Signer


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Log.open(tmp_path, signer=make_signer()) as log:
        for start in (0, 300):
            log.append([make_entry(str(start + i)) for i in range(300)])
            log.checkpoint()
        assert check_log(log) == []
    return tmp_path


def tampered(directory: Path, sql: str, *args: object) -> list[tuple[str, str]]:
    with sqlite3.connect(directory / "log.sqlite") as db:
        assert db.execute(sql, args).rowcount > 0
    db.close()
    with Log.open_readonly(directory) as log:
        return [(finding.code, finding.where) for finding in check_log(log)]


def test_an_edited_body(directory: Path) -> None:
    found = tampered(directory, "UPDATE record SET body = x'00' WHERE idx = 17")
    assert found == [("record.altered", "record 17")]


def test_dropped_records_first_middle_and_last(directory: Path) -> None:
    found = tampered(directory, "DELETE FROM record WHERE idx IN (0, 255, 599)")
    assert found == [("record.missing", f"record {i}") for i in (0, 255, 599)]


def test_a_record_slipped_in_behind_the_tree(directory: Path) -> None:
    found = tampered(directory, "INSERT INTO record VALUES (601, x'01')")
    assert found == [("record.surplus", "record 601")]


def test_swapped_records(directory: Path) -> None:
    five, six = make_entry("5").body, make_entry("6").body
    sql = "UPDATE record SET body = CASE idx WHEN 5 THEN ? ELSE ? END WHERE idx IN (5, 6)"
    found = tampered(directory, sql, six, five)
    assert found == [("record.altered", "record 5"), ("record.altered", "record 6")]


def zeroed(column: str, level: int) -> str:
    """SQL that clears the first hash of the first tile of a level."""
    value = f"CAST(zeroblob(32) || substr({column}, 33) AS BLOB)"
    return f"UPDATE tile SET {column} = {value} WHERE level = {level} AND n = 0"


def test_an_edited_leaf_of_the_tree(directory: Path) -> None:
    found = tampered(directory, zeroed("hashes", 0))
    assert found == [
        ("record.altered", "record 0"),
        ("tile.altered", "tile 0 of level 0"),  # its middle is not what the leaves make
        ("tile.altered", "tile 0 of level 1"),
        ("log.forked", "checkpoint 0"),
        ("log.forked", "checkpoint 1"),
    ]


@pytest.mark.parametrize(("column", "level"), [("hashes", 1), ("middle", 0)])
def test_an_edited_inner_node(directory: Path, column: str, level: int) -> None:
    assert tampered(directory, zeroed(column, level)) == [
        ("tile.altered", f"tile 0 of level {level}")
    ]


def test_a_dropped_tile_of_inner_nodes(directory: Path) -> None:
    found = tampered(directory, "DELETE FROM tile WHERE level = 1")
    assert found == [("tile.altered", "tile 0 of level 1")]


def test_a_dropped_tile_of_leaves(directory: Path) -> None:
    found = tampered(directory, "DELETE FROM tile WHERE level = 0 AND n = 1")
    assert found == [("tile.altered", "tile 1 of level 0")]


def test_an_edited_checkpoint(directory: Path) -> None:
    found = tampered(
        directory, "UPDATE checkpoint SET note = replace(note, '600', '599') WHERE id = 2"
    )
    assert ("note.signature", "checkpoint 1") in found


def test_a_checkpoint_that_is_no_note(directory: Path) -> None:
    found = tampered(directory, "UPDATE checkpoint SET note = 'x' WHERE id = 1")
    assert found == [("note.malformed", "checkpoint 0")]


def test_a_checkpoint_by_another_key(directory: Path) -> None:
    with Log.open_readonly(directory) as log:
        head = Checkpoint(log.origin, 600, log.root())
    forged = SignedCheckpoint.sign(head, Signer.generate(head.origin)).text
    found = tampered(directory, "UPDATE checkpoint SET note = ? WHERE id = 2", forged)
    assert found == [("note.unsigned", "checkpoint 1")]


def test_a_history_cut_short_behind_its_checkpoint(directory: Path) -> None:
    with sqlite3.connect(directory / "log.sqlite") as db:
        db.execute("DELETE FROM tile WHERE level = 0 AND n = 2")
        db.execute("DELETE FROM record WHERE idx >= 512")
    db.close()
    with Log.open_readonly(directory) as log:
        assert log.size == 512
        assert [(f.code, f.where) for f in check_log(log)] == [("log.rolled-back", "checkpoint 1")]


def test_an_edited_tile_that_the_last_records_did_not_touch(tmp_path: Path) -> None:
    with Log.open(tmp_path, signer=make_signer()) as log:
        log.append([make_entry(str(i)) for i in range(4096 + 10)])
        assert check_log(log) == []
    assert tampered(tmp_path, zeroed("hashes", 1)) == [("tile.altered", "tile 0 of level 1")]
