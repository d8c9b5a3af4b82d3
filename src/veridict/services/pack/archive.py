"""One ZIP file of stored members in one spelling: what we write is all that we read.

Any ZIP tool opens it. We do not use one: a reader that takes every ZIP file takes bombs,
members that overlap, two directories that disagree, and names that climb. Here the same
members give the same bytes (no compression, no times, no comments, no gaps), and a file
that is not spelled so is refused by name:

    pack.truncated    it does not end with a directory, or members reach beyond it
    pack.malformed    a field has another value than the one that is written
    pack.compressed   a member is compressed or encrypted
    pack.path         a name that is no plain relative path
    pack.duplicate    a name stands twice
    pack.oversized    more bytes or members than a pack has

Memory is bounded by the directory and the member that is read; time by the file's length.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NoReturn
from zlib import crc32

from veridict.core.errors import BadInput, EvidenceError, NotFound, Refused, StorageFailed

MAX_PACK_BYTES = 0xFFFF_FFFE  # a ZIP without its 64-bit extension
MAX_MEMBERS = 0xFFFE
MAX_MEMBER_BYTES = 64 << 20
MAX_NAME = 200
_STEP = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)

# APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16; every field that is not named has one value.
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _UNIX, _DAY = 10, 3 << 8 | 10, 0x21  # 1980-01-01, the first day a ZIP file knows
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member's bytes lie."""

    name: str
    size: int
    crc: int
    start: int


def write_archive(target: Path, members: Iterable[tuple[str, bytes]]) -> int:
    """Writes `members` in their order, readable by the owner alone; returns the bytes written.

    The file is whole or not there. Raises StorageFailed, and Refused where it grows too large.
    """
    fresh = target.with_name(target.name + ".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            size = _write(file, members)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise StorageFailed(
            f"the pack cannot be written to {target}: {problem.strerror}",
            remedy="free space or choose another place with --output",
        ) from problem
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return size


def _write(file: BinaryIO, members: Iterable[tuple[str, bytes]]) -> int:
    directory: list[bytes] = []
    at = 0
    for name, data in members:
        if not is_plain(name):
            raise BadInput(f"{name!r} is no name of a member", remedy="name it as layout does")
        if len(data) > MAX_MEMBER_BYTES or len(directory) >= MAX_MEMBERS:
            _too_large()
        member = Member(name, len(data), crc32(data), at + _LOCAL.size + len(name))
        file.write(_local(member) + data)
        directory.append(_entry(member))
        at = member.start + member.size
        if at > MAX_PACK_BYTES:
            _too_large()
    index = b"".join(directory)
    count = len(directory)
    file.write(index + _END.pack(b"PK\5\6", 0, 0, count, count, len(index), at, 0))
    return at + len(index) + _END.size


class Archive:
    """Members of a pack by name, in the order of the file. Use it in `with`, which closes it."""

    def __init__(self, source: Path | BinaryIO) -> None:
        """Raises NotFound, and EvidenceError with one of the findings above."""
        try:
            self._file = source.open("rb") if isinstance(source, Path) else source
        except OSError as problem:
            raise NotFound(
                f"{source} cannot be read: {problem.strerror}", remedy="name the pack's file"
            ) from problem
        try:
            self.members = {member.name: member for member in self._directory()}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def read(self, name: str, limit: int = MAX_MEMBER_BYTES) -> bytes | None:
        """The member's bytes, None where there is none. Raises EvidenceError beyond `limit`."""
        member = self.members.get(name)
        if member is None:
            return None
        if member.size > limit:
            _wrong("pack.oversized", f"{name} has {member.size} bytes, not at most {limit}")
        return self._at(member.start, member.size)

    def digest(self, name: str) -> tuple[str, bool]:
        """SHA-256 of the member, in hex, and whether the directory's checksum is right."""
        member = self.members[name]
        digest, crc = sha256(), 0
        for at in range(0, member.size, _STEP):
            part = self._at(member.start + at, min(_STEP, member.size - at))
            digest.update(part)
            crc = crc32(part, crc)
        return digest.hexdigest(), crc == member.crc

    def sha256(self) -> str:
        """Of the whole file, in hex."""
        whole, digest = self._file.seek(0, os.SEEK_END), sha256()
        for at in range(0, whole, _STEP):
            digest.update(self._at(at, min(_STEP, whole - at)))
        return digest.hexdigest()

    def _directory(self) -> Iterator[Member]:
        whole = self._file.seek(0, os.SEEK_END)
        if whole > MAX_PACK_BYTES + _END.size:
            _wrong("pack.oversized", f"it has {whole} bytes")
        if whole < _END.size:
            _wrong("pack.truncated", f"it has {whole} bytes")
        mark, _, _, _, count, length, start, _ = end = _END.unpack(
            self._at(whole - _END.size, _END.size)
        )
        if mark != b"PK\5\6" or start + length + _END.size != whole:
            _wrong("pack.truncated", "no directory ends it")
        if end != (b"PK\5\6", 0, 0, count, count, length, start, 0):
            _wrong("pack.malformed", "its last record is not as it is written")
        if count > MAX_MEMBERS or length > count * (_ENTRY.size + MAX_NAME):
            _wrong("pack.oversized", f"its directory has {length} bytes for {count} members")
        yield from self._entries(self._at(start, length), count, start)

    def _entries(self, directory: bytes, count: int, stop: int) -> Iterator[Member]:
        seen: set[str] = set()
        at = place = 0
        for _ in range(count):
            if at + _ENTRY.size > len(directory):
                _wrong("pack.truncated", "its directory ends inside an entry")
            fields = _ENTRY.unpack_from(directory, at)
            _, _, _, flags, method, _, _, crc, packed, size, n_name, *_, offset = fields
            raw = directory[at + _ENTRY.size : at + _ENTRY.size + n_name]
            name = raw.decode("ascii", errors="replace")
            if method or flags & 1 or packed != size:
                _wrong("pack.compressed", f"{name[:MAX_NAME]!r} is compressed or encrypted")
            if not is_plain(name):
                _wrong("pack.path", f"{name[:MAX_NAME]!r} is no plain name")
            if name in seen:
                _wrong("pack.duplicate", f"{name} stands twice")
            if size > MAX_MEMBER_BYTES:
                _wrong("pack.oversized", f"{name} has {size} bytes")
            member = Member(name, size, crc, place + _LOCAL.size + n_name)
            if offset != place or directory[at : at + _ENTRY.size + n_name] != _entry(member):
                _wrong("pack.malformed", f"the entry of {name} is not as it is written")
            if member.start + size > stop:
                _wrong("pack.truncated", f"{name} reaches beyond the file")
            if self._at(place, _LOCAL.size + n_name) != _local(member):
                _wrong("pack.malformed", f"{name} has another header than its entry")
            seen.add(name)
            at, place = at + _ENTRY.size + n_name, member.start + size
            yield member
        if at != len(directory) or place != stop:
            _wrong("pack.malformed", "something lies between its members and its directory")

    def _at(self, start: int, length: int) -> bytes:
        try:
            self._file.seek(start)
            data = self._file.read(length)
        except OSError as problem:
            raise StorageFailed(
                f"the pack cannot be read: {problem.strerror}", remedy="see the disk, try again"
            ) from problem
        if len(data) != length:
            _wrong("pack.truncated", f"it ends at {start + len(data)}")
        return data


def is_plain(name: str) -> bool:
    """Relative, without dots in front, of letters, digits, `.`, `_`, `-` and `/`."""
    return len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def _local(member: Member) -> bytes:
    head = _LOCAL.pack(
        b"PK\3\4", _VERSION, 0, 0, 0, _DAY, member.crc, member.size, member.size,
        len(member.name), 0,
    )  # fmt: skip
    return head + member.name.encode()


def _entry(member: Member) -> bytes:
    offset = member.start - _LOCAL.size - len(member.name)
    head = _ENTRY.pack(
        b"PK\1\2", _UNIX, _VERSION, 0, 0, 0, _DAY, member.crc, member.size, member.size,
        len(member.name), 0, 0, 0, 0, _MODE, offset,
    )  # fmt: skip
    return head + member.name.encode()


def _too_large() -> NoReturn:
    raise Refused(
        f"the pack would have more than {MAX_PACK_BYTES} bytes or {MAX_MEMBERS} members",
        remedy="open fewer payloads with --from and --to",
        reason="too large",
    )


def _wrong(code: str, why: str) -> NoReturn:
    raise EvidenceError(
        f"this is no audit pack: {why}",
        remedy="ask its keeper for the pack again, and compare its SHA-256",
        finding=code,
    )
