"""The keyring: keys in one file for the owner alone, and in nothing that is shown."""

from __future__ import annotations

import json
import stat
import traceback
from pathlib import Path

import pytest

from veridict.chain.keyring import OPERATOR_ENV, Keyring
from veridict.core.errors import BadInput, StorageFailed

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"  # in web3's own docs
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"


def test_a_role_keeps_its_key(tmp_path: Path) -> None:
    path = tmp_path / "home" / "accounts.json"
    first = Keyring(path, {}).account("operator").address
    again = Keyring(path, {})
    assert again.account("operator").address == first
    assert again.account("human").address != first
    assert Keyring(path, {}).account("operator").address == first


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "accounts.json"
    Keyring(path, {}).account("operator")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]  # no half-written copy is left


@pytest.mark.parametrize("key", [KEY, f"0x{KEY}", f" {KEY}\n"])
def test_the_environment_s_key_never_touches_the_disk(tmp_path: Path, key: str) -> None:
    path = tmp_path / "accounts.json"
    ring = Keyring(path, {OPERATOR_ENV: key})
    assert ring.account("operator").address == ADDRESS
    assert not path.exists()
    ring.account("human")
    assert KEY not in path.read_text()


def test_no_key_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    ring = Keyring(path, {OPERATOR_ENV: KEY})
    ring.account("human")
    (stored,) = json.loads(path.read_text()).values()
    for shown in (repr(ring), str(ring), f"{ring}"):
        assert KEY not in shown
        assert stored not in shown


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "00", "x" * 64, "0" * 64, "f" * 64])
def test_a_bad_key_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        Keyring(tmp_path / "accounts.json", {OPERATOR_ENV: key})
    error = caught.value
    told = "".join(traceback.format_exception(error)) + json.dumps(error.as_dict())
    if key:
        assert key not in told
    assert OPERATOR_ENV in error.message
    assert error.remedy


@pytest.mark.parametrize("content", ["", "[]", "not json", '{"operator": 7}', "\udcff"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(content, errors="surrogateescape")
    before = path.read_bytes()
    with pytest.raises(StorageFailed) as caught:
        Keyring(path, {})
    assert "accounts.json" in caught.value.message
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed):
        Keyring(tmp_path / "file" / "accounts.json", {}).account("operator")
