"""The pack's file: what ZIP tools make of it, and every way in which it can be no pack, by name."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zlib import crc32

import pytest

from veridict.core.errors import BadInput, EvidenceError, NotFound, Refused
from veridict.services.pack import archive
from veridict.services.pack.archive import Archive, is_plain, write_archive

MEMBERS = [("a.json", b"{}"), ("b/000", bytes(300)), ("b/x001/002", b""), ("c", b"last")]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    write_archive(tmp_path / "pack.zip", MEMBERS)
    return tmp_path / "pack.zip"


def test_what_is_written_is_read(whole: Path) -> None:
    with Archive(whole) as opened:
        assert [(name, opened.read(name)) for name in opened.members] == MEMBERS
        assert opened.read("absent") is None
        assert "c" in opened
        assert opened.digest("c")[1]


def test_the_same_members_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    size = write_archive(tmp_path / "again.zip", MEMBERS)
    assert (tmp_path / "again.zip").read_bytes() == whole.read_bytes()
    assert size == whole.stat().st_size


def test_other_zip_tools_read_it(whole: Path) -> None:
    with zipfile.ZipFile(whole) as known:
        assert known.testzip() is None
        assert [(name, known.read(name)) for name in known.namelist()] == MEMBERS
        assert {i.date_time for i in known.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_only_its_owner_reads_it(whole: Path) -> None:
    assert whole.stat().st_mode & 0o777 == 0o600


def test_it_is_whole_or_not_there(tmp_path: Path) -> None:
    def broken() -> object:
        yield "a", b"1"
        raise RuntimeError("the log went away")

    with pytest.raises(RuntimeError):
        write_archive(tmp_path / "pack.zip", broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_member_is_read_up_to_a_limit(whole: Path) -> None:
    with Archive(whole) as opened, pytest.raises(EvidenceError) as refused:
        opened.read("b/000", 299)
    assert refused.value.facts["finding"] == "pack.oversized"


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Archive(tmp_path / "none.zip")


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "../a", "a/../b", ".a", "a//b", "a\\b", "ä", "x" * 201]
)
def test_names_that_climb_or_hide_are_not_written(name: str, tmp_path: Path) -> None:
    assert not is_plain(name)
    with pytest.raises(BadInput):
        write_archive(tmp_path / "pack.zip", [(name, b"")])


def test_what_is_too_large_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 10)
    with pytest.raises(Refused) as refused:
        write_archive(tmp_path / "pack.zip", [("a", bytes(11))])
    assert "--from" in refused.value.remedy


# -- one file a defect -----------------------------------------------------------------------


def directory_at(data: bytes) -> int:
    return int.from_bytes(data[-6:-2], "little")


def put(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def entry_field(data: bytes, offset: int, value: bytes) -> bytes:
    """In the directory's first entry."""
    return put(data, directory_at(data) + offset, value)


def zipped(**options: object) -> Callable[[bytes], bytes]:
    """The same members as the standard library writes them."""

    def make(_: bytes) -> bytes:
        file = BytesIO()
        with zipfile.ZipFile(file, "w", **options) as target:  # type: ignore[call-overload]
            for name, data in MEMBERS:
                target.writestr(name, data)
        return file.getvalue()

    return make


def bomb(_: bytes) -> bytes:
    """A thousand times its own size, as zip bombs go."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        info = zipfile.ZipInfo("a", (1980, 1, 1, 0, 0, 0))
        target.writestr(info, bytes(1 << 24), zipfile.ZIP_DEFLATED, compresslevel=9)
    return file.getvalue()


def renamed(to: bytes) -> Callable[[bytes], bytes]:
    """Another name of the same length, in header and entry alike."""
    return lambda data: data.replace(b"a.json", to)


def twice(_: bytes) -> bytes:
    """Two members of one name, written as this format writes members."""
    body, directory, at = b"", b"", 0
    for data in (b"one", b"two"):
        member = archive.Member("same", len(data), crc32(data), at + 30 + 4)
        body += archive._local(member) + data
        directory += archive._entry(member)
        at = member.start + member.size
    return (
        body + directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, len(directory), at, 0)
    )


def overlapping(data: bytes) -> bytes:
    """The second entry points at the first member, as in bombs that use one body many times."""
    second = directory_at(data) + 46 + len("a.json")
    return put(data, second + 42, (0).to_bytes(4, "little"))


def huge_member(data: bytes) -> bytes:
    size = struct.pack("<II", 0xFFFF_FFF0, 0xFFFF_FFF0)
    return entry_field(data, 20, size)


def many_members(data: bytes) -> bytes:
    return put(put(data, len(data) - 14, b"\xff\xff"), len(data) - 12, b"\xff\xff")


def endless_directory(data: bytes) -> bytes:
    """A directory that claims nearly all of the file for few entries."""
    padded = data[:-22] + bytes(4000)
    at = directory_at(data)
    return padded + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 4, 4, len(padded) - at, at, 0)


DEFECTS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty": ("pack.truncated", lambda data: b""),
    "a few bytes": ("pack.truncated", lambda data: b"PK\5\6"),
    "cut inside the directory": ("pack.truncated", lambda data: data[:-40]),
    "cut inside a member": ("pack.truncated", lambda data: data[:100]),
    "its end alone": ("pack.truncated", lambda data: data[-22:]),
    "another file": ("pack.truncated", lambda data: bytes(range(256)) * 4),
    "a tail behind the end": ("pack.truncated", lambda data: data + b"tail"),
    "a comment": ("pack.malformed", lambda data: put(data, len(data) - 2, b"\5\0")),
    "several disks": ("pack.malformed", lambda data: put(data, len(data) - 18, b"\1\0")),
    "a gap in front": ("pack.truncated", lambda data: b"#!/bin/sh\n" + data),
    "deflated": ("pack.compressed", zipped(compression=zipfile.ZIP_DEFLATED)),
    "a bomb": ("pack.compressed", bomb),
    "encrypted": ("pack.compressed", lambda data: entry_field(data, 8, b"\1\0")),
    "another tool's": ("pack.malformed", zipped(compression=zipfile.ZIP_STORED)),
    "a time": ("pack.malformed", lambda data: entry_field(data, 12, b"\1\0")),
    "a header of another size": ("pack.malformed", lambda data: put(data, 18, b"\3\0\0\0")),
    "a header of another name": ("pack.malformed", lambda data: put(data, 30, b"b.json")),
    "a name that climbs": ("pack.path", renamed(b"../etc")),
    "an absolute name": ("pack.path", renamed(b"/a.jsn")),
    "a hidden name": ("pack.path", renamed(b".a.jsn")),
    "a backslash": ("pack.path", renamed(b"a\\json")),
    "a name that is no text": ("pack.path", renamed(b"\xff.json")),
    "a name twice": ("pack.duplicate", twice),
    "members that overlap": ("pack.malformed", overlapping),
    "a huge member": ("pack.oversized", huge_member),
    "more members than bytes": ("pack.oversized", many_members),
    "an endless directory": ("pack.oversized", endless_directory),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_file_that_is_no_pack_is_refused_by_name(whole: Path, defect: str) -> None:
    finding, damage = DEFECTS[defect]
    whole.write_bytes(damage(whole.read_bytes()))
    with pytest.raises(EvidenceError) as refused:
        Archive(whole)
    assert refused.value.facts["finding"] == finding, refused.value.message
    assert refused.value.exit_status == 4
