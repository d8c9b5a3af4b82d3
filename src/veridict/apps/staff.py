"""Who works on cases: a token each, so that an act is by whom it says it is.

    analyst   takes cases over, notes, releases, confirms; reports without names
    lead      also reports with names, and lets a cleared case stop others
    operator  everything; the token that `veridict up` prints, which names nobody

A member's token is shown once; `staff.json` in the home keeps its SHA-256.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from veridict.core.errors import BadInput, NotFound, StorageFailed
from veridict.core.files import SECRET, replace_file

FILE = "staff.json"
MAX_NAME = 80


class Role(IntEnum):
    ANALYST = 1
    LEAD = 2
    OPERATOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`token` is the SHA-256 of the token, in hex."""

    name: str
    role: Literal["analyst", "lead"]
    token: str

    @property
    def rank(self) -> Role:
        return Role[self.role.upper()]


class Staff:
    """The members that the file names, read again whenever it changed."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._seen: tuple[int, int] | None = None
        self._by_token: Mapping[str, Member] = {}

    def members(self) -> list[Member]:
        """In the order in which they came. Raises StorageFailed where the file is unreadable."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Member])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as problem:
            raise StorageFailed(
                f"{self._path} cannot be read: {problem}", remedy="mend it, or put back a copy"
            ) from problem

    def whose(self, token: str) -> Member | None:
        """Compared by hash, so that the time it takes tells nothing of any token."""
        self._refresh()
        return self._by_token.get(sha256(token.encode()).hexdigest())

    def add(self, name: str, role: Literal["analyst", "lead"]) -> str:
        """A new member's token. Raises BadInput where the name is taken or none."""
        members = self.members()
        if not 1 <= len(name) <= MAX_NAME or name in {member.name for member in members}:
            raise BadInput(
                f"{name[:MAX_NAME]!r} is no new name",
                remedy=f"choose one of 1 to {MAX_NAME} characters that nobody has",
            )
        token = secrets.token_urlsafe(24)
        self._write([*members, Member(name, role, sha256(token.encode()).hexdigest())])
        return token

    def remove(self, name: str) -> None:
        """Their token opens nothing any more; what they did stays. Raises NotFound."""
        members = self.members()
        kept = [member for member in members if member.name != name]
        if len(kept) == len(members):
            raise NotFound(
                f"nobody is called {name[:MAX_NAME]!r}", remedy="see `veridict case staff`"
            )
        self._write(kept)

    def _write(self, members: list[Member]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.encode(members), mode=SECRET)
        except OSError as problem:
            raise StorageFailed(
                f"{self._path} cannot be written: {problem.strerror}",
                remedy="mend the directory's permissions",
            ) from problem

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
        except OSError:
            seen = None
        if seen != self._seen:
            self._by_token = {member.token: member for member in self.members()}
            self._seen = seen
