"""Permission is lost under a running log, for root as well: a clear error, and it goes on after."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_entry
from tests.support.missing import missing
from tests.support.parts import ROOT
from veridict.core.errors import StorageFailed
from veridict.ledger.verify import check_log

FILES = ("log.sqlite", "log.sqlite-wal")  # not the -shm: it is memory, and the kernel kills for it


def chattr(change: str, paths: list[Path]) -> bool:
    command = ["chattr", change, *map(str, paths)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def protect(tmp_path: Path) -> Iterator[Callable[[bool], None]]:
    """Makes the log's files immutable, which binds root and files that are open, and undoes it."""

    def switch(on: bool) -> None:
        if not chattr("+i" if on else "-i", [tmp_path / name for name in FILES]):
            missing(
                "files that can be made immutable", "run as root, with TMPDIR on ext4, xfs or btrfs"
            )

    yield switch
    chattr("-i", [tmp_path / name for name in FILES if (tmp_path / name).exists()])


def test_a_log_whose_files_become_immutable_stops_and_goes_on_when_they_are_not(
    tmp_path: Path, protect: Callable[[bool], None]
) -> None:
    kept = Kept(tmp_path)
    acknowledged: dict[int, bytes] = {}
    failures: list[StorageFailed] = []
    stop = threading.Event()

    with kept.open() as log:

        def client(number: int) -> None:
            turn = 0
            while not stop.is_set():
                entry = make_entry(f"{number}.{turn}")
                turn += 1
                try:
                    acknowledged[log.append([entry]).first_index] = entry.body
                except StorageFailed as error:
                    failures.append(error)
                    stop.wait(0.01)

        clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for each in clients:
            each.start()

        def wait_for(happened: Callable[[], bool]) -> None:
            while not happened():
                stop.wait(0.005)

        wait_for(lambda: len(acknowledged) > 20)
        protect(True)
        wait_for(lambda: len(failures) > 8)
        size = log.size
        assert log.root() == log.root(size)  # reading goes on
        with pytest.raises(StorageFailed, match="cannot be written"):
            log.meta_put("key", b"value")
        protect(False)
        wait_for(lambda: len(acknowledged) > size + 20)
        stop.set()
        for each in clients:
            each.join()
        for error in failures:
            assert "cannot be written" in error.message
            assert "permission" in error.remedy
        assert log.size == len(acknowledged)
    with kept.open() as log:
        assert dict(enumerate(log.bodies())) == acknowledged
        assert check_log(log) == []


PLAIN_USER = """
import os, sys
from pathlib import Path
from tests.support.kept import Kept
from tests.support.ledger import make_entry
from veridict.core.errors import StorageFailed
home = Path(sys.argv[1])
with Kept(home.with_name("warm")).open() as log:  # the interpreter may lie where a user cannot read
    log.append([make_entry("a")])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
kept = Kept(home)
with kept.open() as log:
    log.append([make_entry("a")])
    home.chmod(0o500)
    for file in home.iterdir():
        if file.is_file():
            file.chmod(0o400)
    log.append([make_entry("b")])  # open files stay open
try:
    kept.open()
except StorageFailed as error:
    print(error.code, "|", error.message, "|", error.remedy)
home.chmod(0o700)
for file in home.iterdir():
    if file.is_file():
        file.chmod(0o600)
with kept.open() as log:
    print(log.append([make_entry("c")]).first_index, log.size)
"""


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that every user can reach, as pytest's own cannot."""
    with tempfile.TemporaryDirectory(prefix="veridict-user-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


def test_a_plain_user_who_lost_the_directory_is_told_and_finds_all_again(open_path: Path) -> None:
    home = open_path / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN_USER, str(home)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    said, after = ran.stdout.splitlines()
    code, message, remedy = said.split(" | ")
    assert code == "storage.failed"
    assert "cannot be" in message
    assert "permission" in remedy or "permitted" in remedy
    assert after == "2 3"
