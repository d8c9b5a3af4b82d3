"""The disk fills up, permission is lost, files are damaged: clear errors, nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.ledger import make_entry, make_signer, make_vault
from tests.support.missing import missing
from veridict.core.errors import StorageFailed
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.privacy.vault import FileVault

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(mount)]
    with suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            yield mount
            subprocess.run(["umount", str(mount)], check=True)
            return
    missing("the right to mount", "run the tests as root")


def open_log(path: Path) -> Log:
    return Log.open(path, signer=make_signer(), vault=make_vault(path))


def test_a_full_disk_stops_the_log_and_room_lets_it_go_on(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_500_000))
    with open_log(small_disk / "log") as log:
        acknowledged, failed = 0, 0
        while failed < 3:
            futures = [log.submit([make_entry(f"{acknowledged}")] * 50) for _ in range(4)]
            for future in futures:
                error = future.exception()
                if error is None:
                    acknowledged += 50
                    continue
                failed += 1
                assert isinstance(error, StorageFailed)
                assert "full" in error.message
                assert "free space" in error.remedy
        assert log.size == acknowledged
        assert log.root() == log.root(acknowledged)  # reading goes on
        ballast.unlink()
        assert log.append([make_entry("after")]).first_index == acknowledged
        assert log.checkpoint().size == acknowledged + 1
        assert check_log(log) == []
    with open_log(small_disk / "log") as log:
        assert log.size == acknowledged + 1


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("log_full_child.py")), str(tmp_path)],
        capture_output=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=True,
    )
    report = json.loads(child.stdout)
    assert report["size"] == report["acknowledged"] + 1 > 1
    assert report["kept"] is True
    assert report["findings"] == []
    assert all(message and remedy for message, remedy in report["failures"])
    with open_log(tmp_path) as log:
        assert log.size == report["size"]


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\x00" + bytes(200)])
def test_a_file_that_is_no_log_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.sqlite").write_bytes(content)
    for opening in (open_log, Log.open_readonly):
        with pytest.raises(StorageFailed) as caught:
            opening(tmp_path)
        assert caught.value.remedy
    assert (tmp_path / "log.sqlite").read_bytes() == content


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("CREATE TABLE notes (text)")
    db.close()
    with pytest.raises(StorageFailed, match="no log of version"):
        open_log(tmp_path)


def test_a_torn_file_is_named_as_damaged(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append([make_entry(str(i)) for i in range(2000)])
    file = tmp_path / "log.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(StorageFailed, match="damaged") as caught:
        open_log(tmp_path)
    assert "backup" in caught.value.remedy


def test_a_tile_that_was_lost_is_named(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append([make_entry(str(i)) for i in range(600)])
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("DELETE FROM tile WHERE level = 1")
    db.close()
    with pytest.raises(StorageFailed, match="tile 0 of level 1"):
        open_log(tmp_path)
    with Log.open_readonly(tmp_path) as log:  # an audit can still look
        assert [f.code for f in check_log(log)] == ["tile.altered"]


def test_a_record_in_the_way_stops_the_writer_and_stays(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append([make_entry("a")])
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("INSERT INTO record VALUES (1, x'01')")
    db.close()
    with open_log(tmp_path) as log:
        for _ in range(2):
            with pytest.raises(StorageFailed, match="did not write") as caught:
                log.append([make_entry("b")])
            assert "audit" in caught.value.remedy
        assert log.size == 1


def test_a_directory_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed):
        open_log(tmp_path / "file" / "log")
    with pytest.raises(StorageFailed):
        Log.open_readonly(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[Path]:
    """A closed log on a medium that root cannot write either, where that can be had."""
    directory = tmp_path / "log"
    with open_log(directory) as log:
        log.append([make_entry("a")])
        log.checkpoint()
    if os.geteuid() != 0:
        directory.chmod(0o500)
        for file in directory.iterdir():
            file.chmod(0o400)
        yield directory
        directory.chmod(0o700)
        return
    bind = ["mount", "--bind", str(directory), str(directory)]
    if subprocess.run(bind, capture_output=True, check=False).returncode != 0:
        missing("the right to mount", "run as a plain user: permissions do not bind root")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(directory)], check=True)
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def test_a_read_only_medium_can_be_read_and_audited_but_not_written(protected: Path) -> None:
    with pytest.raises(StorageFailed, match=r"cannot be (written|opened)") as caught:
        open_log(protected)
    assert caught.value.remedy
    vault = FileVault.open_readonly(protected / "vault")
    with Log.open_readonly(protected, vault=vault) as log:
        assert log.size == 1
        assert check_log(log) == []
        assert log.find_request("a") == 0


def test_a_log_that_kept_payloads_in_the_clear_is_refused_and_left_alone(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append([make_entry("a")])
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db:
        db.execute("PRAGMA user_version = 1")
    before = (tmp_path / "log.sqlite").read_bytes()
    for opening in (open_log, Log.open_readonly):
        with pytest.raises(StorageFailed, match="no log of version 2") as caught:
            opening(tmp_path)
        assert "release that wrote it" in caught.value.remedy
    assert (tmp_path / "log.sqlite").read_bytes() == before
