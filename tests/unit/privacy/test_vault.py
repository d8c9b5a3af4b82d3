"""The vault: what is sealed opens, what is destroyed is gone from every file."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from veridict.core.errors import StorageFailed
from veridict.core.ports import Personal
from veridict.privacy.master import CURRENT, NEXT
from veridict.privacy.slotfile import FILE
from veridict.privacy.vault import FileVault


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[FileVault]:
    opened = FileVault(tmp_path)
    yield opened
    opened.close()


def items(*subjects: str) -> list[Personal]:
    return [Personal(who, f"request of {who}", f"all about {who}".encode()) for who in subjects]


def files(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


def test_no_file_says_whom_it_is_about(vault: FileVault, tmp_path: Path) -> None:
    vault.seal(items("ann-4711"))
    written = files(tmp_path)
    for word in (b"ann-4711", b"ann-4711".hex().encode(), b"about"):
        assert word not in written
    for path in tmp_path.iterdir():
        if path.name == CURRENT:
            assert path.stat().st_mode & 0o077 == 0


def test_a_destroyed_key_is_gone_and_its_neighbours_stay(vault: FileVault, tmp_path: Path) -> None:
    ann, bob, cy = vault.seal(items("ann", "bob", "cy"))
    older = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    salt = vault.salt(bob.slot)
    assert salt == vault.salt(bob.slot) != vault.salt(ann.slot)
    assert vault.retire("bob") == [bob.slot]
    assert vault.retired() == [bob.slot]
    vault.destroy(bob.slot)
    assert vault.retired() == []
    assert vault.salt(bob.slot) is None
    assert vault.open([ann, bob, cy]) == [b"all about ann", None, b"all about cy"]
    assert vault.slot("bob") is None
    assert not (tmp_path / NEXT).exists()
    # the old master key, which alone opens the older copies, stands nowhere
    _, _, old_master = older[CURRENT].decode().strip().partition(" ")
    written = files(tmp_path)
    assert old_master.encode() not in written
    assert bytes.fromhex(old_master) not in written
    # and with the vault's older file beside the new key nothing opens
    vault.close()
    elsewhere = tmp_path / "restored"
    elsewhere.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        (elsewhere / name).write_bytes(older[name])
    shutil.copy(tmp_path / CURRENT, elsewhere / CURRENT)
    with pytest.raises(StorageFailed, match="master key"):
        FileVault(elsewhere)


def test_a_kill_before_the_keys_are_wrapped_anew_changes_nothing(
    vault: FileVault, tmp_path: Path
) -> None:
    (ann,) = vault.seal(items("ann"))
    vault.close()
    (tmp_path / NEXT).write_text(f"1 {'ab' * 32}\n")
    (tmp_path / NEXT).chmod(0o600)
    again = FileVault(tmp_path)
    assert again.open([ann]) == [b"all about ann"]
    assert not (tmp_path / NEXT).exists()
    again.destroy(ann.slot)
    assert again.open([ann]) == [None]
    again.close()


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_kill_before_the_old_key_is_overwritten_is_made_good(
    vault: FileVault, tmp_path: Path, overwritten: bool
) -> None:
    ann, bob = vault.seal(items("ann", "bob"))
    old = (tmp_path / CURRENT).read_bytes()
    vault.destroy(ann.slot)
    vault.close()
    (tmp_path / CURRENT).rename(tmp_path / NEXT)  # as it was before `settle`
    (tmp_path / CURRENT).write_bytes(bytes(len(old)) if overwritten else old)
    (tmp_path / CURRENT).chmod(0o600)
    again = FileVault(tmp_path)
    assert again.open([ann, bob]) == [None, b"all about bob"]
    assert old not in files(tmp_path)
    assert not (tmp_path / NEXT).exists()
    again.close()


def test_a_lost_or_open_master_key_is_told(vault: FileVault, tmp_path: Path) -> None:
    vault.seal(items("ann"))
    vault.close()
    (tmp_path / CURRENT).chmod(0o644)
    with pytest.raises(StorageFailed, match="read by others"):
        FileVault(tmp_path)
    (tmp_path / CURRENT).unlink()
    with pytest.raises(StorageFailed, match="master key is missing"):
        FileVault(tmp_path)


def test_there_is_no_reading_without_a_vault(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="there is no vault"):
        FileVault.open_readonly(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_is_told(vault: FileVault, tmp_path: Path) -> None:
    sealed = vault.seal(items("ann"))
    vault.close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("UPDATE slot SET box = zeroblob(60)")
    db.commit()
    db.close()
    again = FileVault(tmp_path)
    with pytest.raises(StorageFailed, match="altered"):
        again.open(sealed)
    again.close()


def test_of_several_that_begin_a_vault_at_once_one_does(tmp_path: Path) -> None:
    for turn in range(5):
        directory = tmp_path / str(turn)
        with ThreadPoolExecutor(8) as pool:
            vaults = list(pool.map(lambda _, place=directory: FileVault(place), range(8)))
        sealed = vaults[0].seal([Personal("anna", "p1", b"secret")])
        assert [vault.open(sealed) for vault in vaults] == [[b"secret"]] * 8
        for vault in vaults:
            vault.close()


def test_a_kill_between_the_first_key_and_its_first_use_is_made_good(tmp_path: Path) -> None:
    FileVault(tmp_path).close()
    for left in tmp_path.glob("vault.sqlite*"):
        left.unlink()
    vault = FileVault(tmp_path)
    assert vault.open(vault.seal([Personal("anna", "p1", b"secret")])) == [b"secret"]
    vault.close()


def test_one_may_open_the_vault_while_another_destroys(tmp_path: Path) -> None:
    """Opening makes good what a kill left behind, and must not take it for that."""
    vault = FileVault(tmp_path)
    sealed = vault.seal(items(*(f"subject {n}" for n in range(40))))
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            FileVault(tmp_path).close()

    opener = threading.Thread(target=others)
    opener.start()
    for one in sealed[:30]:
        vault.destroy(one.slot)
    done.set()
    opener.join()
    vault.close()
    again = FileVault(tmp_path)
    kept = [f"all about subject {n}".encode() for n in range(30, 40)]
    assert again.open(sealed) == [*[None] * 30, *kept]
    again.close()
