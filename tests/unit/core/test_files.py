"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from veridict.core.errors import StorageFailed
from veridict.core.files import SECRET, create_file, must_be_private, replace_file


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "card"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_who_creates_second_finds_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert create_file(path, b"one", mode=SECRET)
    assert not create_file(path, b"two", mode=SECRET)
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    replace_file(path, b"secret", mode=SECRET)
    must_be_private(path)
    path.chmod(0o640)
    with pytest.raises(StorageFailed, match="can be read by others"):
        must_be_private(path)


def test_what_cannot_be_moved_into_place_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"data")
    assert list(tmp_path.iterdir()) == [path]
