"""pacs.008 messages from a folder, or one file: each read when it has settled, in order of arrival.

Put messages there under another name and rename them (names that begin with "." or end with ".tmp"
are left alone): what is half written is no message. Files are ordered by when the folder got them
(change time, which nobody can date back), so that one put there late is not missed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from veridict.core.errors import BadInput, NotFound, StorageFailed
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome, sample_of
from veridict.watch.feeds.pacs008 import read_message
from veridict.watch.feeds.wire import drop_code
from veridict.watch.feeds.xml import MAX_BYTES

LOOK_S = 0.2
Arrival = tuple[int, str]  # nanoseconds, name


@dataclass(slots=True)
class Iso20022Feed:
    """A `Feed`. A single file ends; a folder is looked at for ever, unless `once`."""

    path: Path
    assets: Assets = field(default_factory=Assets)
    once: bool = False
    name: str = field(init=False)
    live: bool = field(init=False, default=True)
    ended: bool = field(init=False, default=False)
    _behind: Arrival = field(init=False, default=(0, ""))
    _skip: int = field(init=False, default=0)
    _waiting: list[Item] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise NotFound(f"there is nothing at {self.path}", remedy="check the path")
        self.once = self.once or self.path.is_file()
        where = sha256(str(self.path.resolve()).encode()).hexdigest()[:8]
        self.name = f"iso20022:{self.path.name}#{where}"

    def start(self, cursor: str) -> None:
        """`cursor`: time of arrival, payments read of it, name."""
        when, _, rest = cursor.partition(":")
        read, _, name = rest.partition(":")
        self._behind, self._skip = (int(when or 0), name), int(read or 0)
        self._waiting.clear()

    def pull(self, most: int, wait_s: float) -> Sequence[Item]:
        end = time.monotonic() + wait_s
        while not self._waiting:
            file = next(self._arrived(), None)
            if file is not None:
                self._read(*file)
            elif self.once:
                self.ended = True
                return []
            elif time.monotonic() >= end:
                return []
            else:
                time.sleep(min(LOOK_S, wait_s))
        items, self._waiting = self._waiting[:most], self._waiting[most:]
        return items

    def told(self, outcomes: Sequence[Outcome]) -> None:
        """The files stay where they are."""

    def close(self) -> None:
        self._waiting.clear()

    def _arrived(self) -> Iterator[tuple[Arrival, Path]]:
        """Files that arrived behind the last one, or it again where it was left half read."""
        try:
            files = [self.path] if self.path.is_file() else list(self.path.iterdir())
            found = [((file.stat().st_ctime_ns, file.name), file) for file in files if _is(file)]
        except OSError as problem:
            raise StorageFailed(
                f"{self.path} cannot be read: {problem.strerror}", remedy="mend its permissions"
            ) from problem
        for arrival, file in sorted(found):
            if arrival > self._behind or (self._skip and arrival == self._behind):
                yield arrival, file

    def _read(self, arrival: Arrival, file: Path) -> None:
        skip = self._skip if arrival == self._behind else 0
        self._behind, self._skip = arrival, 0
        when, name = arrival

        def cursor(read: int) -> str:
            return f"{when}:{read}:{name}"

        try:
            with file.open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
            found = read_message(data, self.assets)
        except FileNotFoundError:
            return  # taken away meanwhile
        except BadInput as problem:
            why = f"{name}: {problem.message}"
            self._waiting = [Dropped(cursor(0), drop_code(problem), why, sample=sample_of(data))]
            return
        for number, one in enumerate(found, start=1):
            at = cursor(number if number < len(found) else 0)
            if number <= skip:
                continue
            if isinstance(one, Dropped):
                why = f"{name}, payment {number}: {one.why}"
                self._waiting.append(Dropped(at, one.code, why, sample=one.sample))
            else:
                self._waiting.append(Arrived(at, one))


def _is(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.suffix != ".tmp"
