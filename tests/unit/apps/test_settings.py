"""Settings, tokens and the file that says where a node runs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from veridict.apps.running import FILE, Running, announced, running_node
from veridict.apps.settings import TOKEN_FILE, Settings
from veridict.core.errors import StorageFailed


def test_what_holds_without_any_setting() -> None:
    assert Settings.read({}) == Settings(home=Path("~/.veridict").expanduser())


def test_the_surroundings_are_read(tmp_path: Path) -> None:
    surroundings = {
        "VERIDICT_HOME": str(tmp_path),
        "VERIDICT_RPC": "http://a",
        "VERIDICT_DATA": "~/data",
        "VERIDICT_TOKEN": "secret",
    }
    found = Settings.read(surroundings)
    assert found == Settings(tmp_path, "http://a", Path("~/data").expanduser(), "secret")


def test_the_vault_is_a_folder_or_a_database() -> None:
    there = Settings.read({"VERIDICT_HOME": "/h", "VERIDICT_VAULT": "/keys"})
    assert (there.vault, there.shared_vault) == (Path("/keys"), None)
    url = "postgresql://me:secret@host/db"
    shared = Settings.read({"VERIDICT_HOME": "/h", "VERIDICT_VAULT": url})
    assert (shared.vault, shared.shared_vault) == (Path("/h/vault"), url)
    assert "secret" not in repr(shared)


def test_the_command_line_overrules_the_surroundings(tmp_path: Path) -> None:
    surroundings = {"VERIDICT_HOME": "/elsewhere", "VERIDICT_RPC": "http://a"}
    found = Settings.read(surroundings, home=tmp_path, rpc="http://b")
    assert (found.home, found.rpc) == (tmp_path, "http://b")


def test_empty_settings_are_none() -> None:
    found = Settings.read({"VERIDICT_RPC": "", "VERIDICT_DATA": "", "VERIDICT_TOKEN": ""})
    assert (found.rpc, found.data, found.token) == (None, None, None)


def test_an_empty_home_is_no_home() -> None:
    """An unset variable in a script must not put a node into the current directory."""
    assert Settings.read({"VERIDICT_HOME": ""}).home == Path("~/.veridict").expanduser()


def test_a_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    token = settings.access_token()
    assert len(token) >= 32
    assert settings.access_token() == token
    mode = (tmp_path / "home" / TOKEN_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_given_token_is_not_written(tmp_path: Path) -> None:
    assert Settings(tmp_path, token="given").access_token() == "given"
    assert list(tmp_path.iterdir()) == []


def test_the_token_stands_in_no_repr() -> None:
    assert "secret" not in repr(Settings(Path("/x"), token="secret"))


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed) as caught:
        Settings(tmp_path / "file" / "home").access_token()
    assert "VERIDICT_TOKEN" in caught.value.remedy


# -- where a node runs -----------------------------------------------------------------------


def test_announced_only_while_it_runs(tmp_path: Path) -> None:
    with announced(tmp_path, "http://web", "http://rpc") as running:
        assert running == Running(os.getpid(), "http://web", "http://rpc")
        stored = msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Running)
        assert stored == running
        assert running_node(tmp_path) is None  # this very process is not another
    assert not (tmp_path / FILE).exists()


ANNOUNCER = """
import sys
from pathlib import Path
from veridict.apps.running import announced
with announced(Path(sys.argv[1]), "http://web", "http://rpc"):
    print("announced", flush=True)
    sys.stdin.read()
"""


def write(home: Path, pid: int) -> None:
    (home / FILE).write_bytes(msgspec.json.encode(Running(pid, "http://web", "http://rpc")))


def test_another_process_is_found_while_it_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ANNOUNCER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"announced\n"
        assert running_node(tmp_path) == Running(child.pid, "http://web", "http://rpc")
        child.kill()
        child.wait()
        assert (tmp_path / FILE).exists()
        assert running_node(tmp_path) is None


def test_a_living_process_that_got_a_dead_nodes_number_is_not_it(tmp_path: Path) -> None:
    write(tmp_path, os.getppid())
    assert running_node(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"pid": "x"}', b"\xff"])
def test_a_damaged_file_names_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert running_node(tmp_path) is None


@pytest.mark.parametrize("pid", [0, -1, 2**70])
def test_a_number_that_is_no_process_names_nobody(tmp_path: Path, pid: int) -> None:
    (tmp_path / FILE).write_text(f'{{"pid": {pid}, "web": "", "rpc": ""}}')
    assert running_node(tmp_path) is None
