"""A log moves from its file into a database: the same log, however often it was interrupted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.kept import Kept
from tests.support.ledger import make_anchor, make_entry
from tests.support.postgres import PASSWORD, Server
from veridict.core.errors import BadInput, NotFound
from veridict.ledger.moving import move_to_database
from veridict.ledger.verify import check_log

SIZE = 2600


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Kept(tmp_path / "log").open() as log:
        log.append([make_entry(f"p{i}") for i in range(SIZE - 1)])
        log.checkpoint()
        log.append([make_entry("last")])
        log.checkpoint()
        log.put_anchor(make_anchor(SIZE))
        log.meta_put("deployment", b"\x00\x01")
    return tmp_path


def everything(kept: Kept) -> list[object]:
    with kept.readonly() as log:
        assert check_log(log) == []
        texts, anchors = log.checkpoint_texts(), log.anchors()
        whole = [list(log.bodies()), list(log.payloads()), texts, anchors, log.verifier]
        return [*whole, log.meta_get("deployment"), log.find_request("last")]


def test_it_is_the_same_log_and_goes_on(
    home: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = postgres.new_place()
    before = everything(Kept(home / "log"))
    assert run(capsys, "log", "move", "--home", home).status == 2  # where to?
    monkeypatch.setenv("VERIDICT_STORE", store)
    ran = run(capsys, "log", "move", "--home", home, "--json")
    assert (ran.status, ran.json) == (0, {"records": SIZE})
    assert PASSWORD not in ran.out + ran.err
    assert everything(Kept(home / "log", store)) == before
    with Kept(home / "log", store).open() as log:
        assert log.append([make_entry("more")]).first_index == SIZE
        assert log.checkpoint().size == SIZE + 1
        assert check_log(log) == []
        log.copy_to(home / "copy")
    with pytest.raises(BadInput, match="is kept in the database"):
        Kept(home / "log").open()
    with pytest.raises(NotFound):
        move_to_database(home / "log", store)
    with Kept(home / "copy").open() as copy:  # and back into a file
        assert copy.size == SIZE + 1
        assert check_log(copy) == []


def test_an_interrupted_move_is_finished_by_moving_again(home: Path, postgres: Server) -> None:
    store = postgres.new_place()
    log, moved = home / "log" / "log.sqlite", home / "log" / "log.sqlite.moved"
    assert move_to_database(home / "log", store) == SIZE
    moved.rename(log)  # killed before the last step
    for kept in (Kept(home / "log"), Kept(home / "log", store)):
        with pytest.raises(BadInput):
            kept.open()
    assert move_to_database(home / "log", store) == SIZE
    moved.rename(log)
    (home / "log" / "log.store").unlink()  # killed before the last but one
    assert move_to_database(home / "log", store) == SIZE
    with Kept(home / "log", store).open() as opened:
        assert opened.size == SIZE


def test_a_database_with_another_log_is_left_alone(home: Path, postgres: Server) -> None:
    store = postgres.new_place()
    with Kept(home / "other", store).open() as log:
        log.append([make_entry("theirs")])
    with pytest.raises(BadInput, match="holds another log"):
        move_to_database(home / "log", store)
    with Kept(home / "log").open() as log:
        assert log.size == SIZE
    with Kept(home / "other", store).open() as log:
        assert log.size == 1


def test_without_the_driver_it_is_said_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from veridict.core.errors import MissingPart\n"
        "from veridict.ledger.log import Log\n"
        "try: Log.open_readonly(Path(sys.argv[1]), store='postgresql://host/db')\n"
        "except MissingPart as error: print(error.remedy)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "pip install 'veridict[postgres]'"
