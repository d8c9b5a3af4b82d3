"""What holds of every vault, wherever its keys are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.postgres import Server
from veridict.core.ports import Personal
from veridict.privacy.shared import SharedVault
from veridict.privacy.slots import PAGE
from veridict.privacy.vault import FileVault, SubjectVault


@dataclass(frozen=True, slots=True)
class Place:
    """Where one vault is kept: in `directory`, and in the database at `url` if there is one."""

    directory: Path
    url: str | None

    def open(self) -> SubjectVault:
        if self.url is None:
            return FileVault(self.directory)
        return SharedVault(self.url, self.directory)

    def readonly(self) -> SubjectVault:
        if self.url is None:
            return FileVault.open_readonly(self.directory)
        return SharedVault(self.url, self.directory, writable=False)


@pytest.fixture(params=["file", "shared"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "file":
        return Place(tmp_path, None)
    server: Server = request.getfixturevalue("postgres")
    return Place(tmp_path, server.new_place())


@pytest.fixture
def vault(place: Place) -> Iterator[SubjectVault]:
    opened = place.open()
    yield opened
    opened.close()


def items(*subjects: str) -> list[Personal]:
    return [Personal(who, f"request of {who}", f"all about {who}".encode()) for who in subjects]


def test_a_destroyed_key_is_gone_and_its_neighbours_stay(vault: SubjectVault, place: Place) -> None:
    ann, bob, cy = vault.seal(items("ann", "bob", "cy"))
    salt = vault.salt(bob.slot)
    assert salt == vault.salt(bob.slot) != vault.salt(ann.slot)
    assert vault.retire("bob") == [bob.slot]
    assert vault.retired() == [bob.slot]
    vault.destroy(bob.slot)
    assert (vault.retired(), vault.behind()) == ([], [])
    assert vault.salt(bob.slot) is None
    assert vault.slot("bob") is None
    wanted = [b"all about ann", None, b"all about cy"]
    assert vault.open([ann, bob, cy]) == wanted
    vault.close()
    again = place.open()
    assert again.open([ann, bob, cy]) == wanted
    again.destroy(cy.slot)
    assert again.open([ann, bob, cy]) == [b"all about ann", None, None]
    again.close()


def test_a_view_beside_it_opens_what_it_sealed(vault: SubjectVault) -> None:
    sealed = vault.seal(items("ann"))
    beside = vault.beside()
    assert beside.open(sealed) == [b"all about ann"]
    beside.close()
    assert vault.open(sealed) == [b"all about ann"]


def test_what_is_sealed_opens_here_and_after_a_restart(vault: SubjectVault, place: Place) -> None:
    sealed = vault.seal(items("ann", "bob", "ann"))
    assert sealed[0].slot == sealed[2].slot != sealed[1].slot
    assert sealed[0].box != sealed[2].box
    assert all(b"about" not in one.box for one in sealed)
    wanted = [item.data for item in items("ann", "bob", "ann")]
    assert vault.open(sealed) == wanted
    vault.close()
    beside = place.readonly()
    assert beside.open(sealed) == wanted
    assert beside.slot("bob") == sealed[1].slot
    assert beside.slot("cy") is None
    assert beside.tag("request of bob") == sealed[1].tag
    beside.close()


def test_a_box_opens_only_as_it_was_sealed(vault: SubjectVault) -> None:
    ann, bob = vault.seal(items("ann", "bob"))
    flipped = bytes([ann.box[20] ^ 1])
    altered = (
        ann._replace(box=ann.box[:20] + flipped + ann.box[21:]),
        ann._replace(box=ann.box[:-1]),
        ann._replace(box=b""),
        ann._replace(tag=bob.tag),
        ann._replace(slot=bob.slot),
        ann._replace(slot=ann.slot + 10 * PAGE),
    )
    assert vault.open(altered) == [None] * len(altered)


def test_many_subjects_fill_pages(vault: SubjectVault, place: Place) -> None:
    names = [f"subject {number}" for number in range(2 * PAGE + 3)]
    sealed = vault.seal(items(*names))
    assert len({one.slot for one in sealed}) == len(names)
    assert len({one.slot // PAGE for one in sealed}) == 3
    vault.close()
    again = place.open()
    assert again.open(sealed) == [item.data for item in items(*names)]
    assert [one.slot for one in again.seal(items(*names))] == [one.slot for one in sealed]
    again.close()


def test_what_comes_after_an_erasure_has_a_new_key(vault: SubjectVault) -> None:
    (before,) = vault.seal(items("ann"))
    vault.retire("ann")
    (after,) = vault.seal(items("ann"))
    assert after.slot != before.slot
    assert vault.open([before, after]) == [b"all about ann"] * 2
    assert vault.retire("ann") == [before.slot, after.slot]
    vault.destroy(before.slot)
    assert vault.open([before, after]) == [None, b"all about ann"]


def test_a_reader_follows_an_erasure_beside_it(vault: SubjectVault, place: Place) -> None:
    ann, bob = vault.seal(items("ann", "bob"))
    reader = place.readonly()
    vault.retire("ann")
    vault.destroy(ann.slot)
    assert reader.open([bob, ann]) == [b"all about bob", None]
    reader.close()


def test_two_that_share_a_vault_follow_each_other(vault: SubjectVault, place: Place) -> None:
    other = place.open()
    (ann,) = vault.seal(items("ann"))
    assert other.seal(items("ann"))[0].slot == ann.slot
    (bob,) = other.seal(items("bob"))
    assert vault.seal(items("bob"))[0].slot == bob.slot
    other.retire("ann")
    (later,) = vault.seal(items("ann"))
    assert later.slot != ann.slot
    other.destroy(ann.slot)
    assert vault.open([ann, later]) == [None, b"all about ann"]
    other.close()
