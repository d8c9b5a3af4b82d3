"""Finds records by what people know of them: the side index proposes, the log decides.

Every record that is returned was read from the log and holds what was asked for; one
that the index does not name is not missed either, as long as the index is whole: it
catches up before it answers, and one that is damaged, of another log or of another
release is made anew. Where it can be neither used nor made, the log itself is searched.

Whether requests are known is asked at every append of what others say, so that question does
not wait for the index: it is answered with what is remembered of the newest records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import RLock, Thread

from veridict.core.errors import BadInput, EvidenceError, StorageFailed
from veridict.core.ports import Vault
from veridict.ledger.boxes import Boxes
from veridict.ledger.entry import owner_of
from veridict.ledger.payloads import decode_payload
from veridict.ledger.recent import Recent
from veridict.ledger.sidefile import BLOCK, FILE, SideFile, Span, facts_of, leaf_key
from veridict.ledger.store import Store
from veridict.proofs.merkle import leaf_hash

ASKED = 512  # keys or records in one question
LATE, TOO_LATE = 16_384, 131_072  # records behind: the index follows beside; whoever asks waits


@dataclass(frozen=True, slots=True)
class Query:
    """All that is given must hold. Spans include both ends; times in milliseconds.

    `leaf` is a record's leaf hash. A request without subject is its own subject.
    """

    leaf: bytes | None = None
    request: str | None = None
    subject: str | None = None
    model: bytes | None = None
    times: Span = None
    sequences: Span = None

    def __post_init__(self) -> None:
        for span in (self.times, self.sequences):
            if span is not None and span[0] > span[1]:
                raise BadInput(f"{span[0]} comes after {span[1]}", remedy="swap the two ends")

    def fits_body(self, body: bytes) -> bool:
        facts = facts_of(body)
        return (
            (self.leaf is None or leaf_hash(body) == self.leaf)
            and (self.model is None or facts.model == self.model)
            and _within(facts.time_ms, self.times)
            and _within(facts.sequence, self.sequences)
        )

    def fits_payload(self, data: bytes | None) -> bool:
        if self.request is None and self.subject is None:
            return True
        try:
            payload = decode_payload(data or b"")
        except EvidenceError:  # a damaged payload answers for nobody; the audit names it
            return False
        named = self.request is None or payload.request.id == self.request
        return named and (self.subject is None or owner_of(payload) == self.subject)


class Lookups:
    """Answers for one log; thread-safe."""

    def __init__(self, directory: Path, store: Store, boxes: Boxes, vault: Vault | None) -> None:
        self._path = directory / FILE
        self._store, self._boxes, self._vault = store, boxes, vault
        self._lock = RLock()
        self._file: SideFile | None = None
        self._recent = Recent(store)
        self._filling: Thread | None = None

    def find(
        self, query: Query, start: int, stop: int, *, most: int, newest: bool = False
    ) -> list[int]:
        """Up to `most` of the records start .. stop - 1, in order or newest first."""
        with self._lock:
            file = self._current(stop)
            try:
                return list(islice(self._answers(file, query, start, stop, newest), most))
            except sqlite3.Error:  # damaged where only this question looked
                self._discard()
                again = self._answers(self._current(stop), query, start, stop, newest)
                return list(islice(again, most))

    def scan(
        self, query: Query, start: int, stop: int, *, most: int, newest: bool = False
    ) -> list[int]:
        """As `find`, from the log alone: slow, and what `find` is held to."""
        return list(islice(self._answers(None, query, start, stop, newest), most))

    def first_of_each(self, request_ids: Sequence[str], size: int) -> list[int | None]:
        """The first record of each request, some hundred at a time."""
        names = list(dict.fromkeys(request_ids))
        found: dict[str, int | None] = {}
        with self._lock:
            file = self._near(size)
            for at in range(0, len(names), ASKED):
                some = names[at : at + ASKED]
                try:
                    found |= self._first_of(file, some, size)
                except sqlite3.Error:  # `find` mends the file
                    found |= {name: self.first(name, size) for name in some}
        return [found[name] for name in request_ids]

    def first(self, request_id: str, size: int) -> int | None:
        return next(iter(self.find(Query(request=request_id), 0, size, most=1)), None)

    def forget(self, rows: Sequence[tuple[int, int, int]], size: int) -> None:
        """Removes (index, slot, tag) of erased payloads. Raises StorageFailed."""
        with self._lock:
            self._recent.forget()
            self._end_filling()
            file = self._current(size) if self._path.exists() else None
            if file is None:
                self._discard()
                return
            try:
                file.forget(rows)
            except sqlite3.Error:
                self._discard()

    def close(self) -> None:
        with self._lock:
            self._end_filling()
            if self._file is not None:
                self._file.close()
                self._file = None

    # -- candidates --------------------------------------------------------------------------

    def _answers(
        self, file: SideFile | None, query: Query, start: int, stop: int, newest: bool
    ) -> Iterator[int]:
        for page in self._candidates(file, query, start, stop, newest):
            marks = ", ".join("?" * len(page))
            sql = f"SELECT idx, body FROM record WHERE idx IN ({marks}) ORDER BY idx"
            fitting = [row[0] for row in self._store.rows(sql, page) if query.fits_body(row[1])]
            if query.request is not None or query.subject is not None:
                payloads = self._boxes.some(fitting)
                fitting = [i for i in fitting if query.fits_payload(payloads.get(i))]
            yield from reversed(fitting) if newest else fitting

    def _candidates(
        self, file: SideFile | None, query: Query, start: int, stop: int, newest: bool
    ) -> Iterator[list[int]]:
        """Pages of indexes start .. stop - 1 that may fit; each in order, pages as asked."""
        keyed = self._keyed(query)
        if file is not None and keyed is not None:
            table, key = keyed
            while page := file.indices(table, key, start, stop, newest=newest, most=ASKED):
                yield sorted(page)
                start, stop = (start, page[-1]) if newest else (page[-1] + 1, stop)
            return
        last = -(-stop // BLOCK)
        if file is None:
            blocks: Sequence[int] = range(start // BLOCK, last)
        else:
            blocks = file.blocks(last, query.model, query.times, query.sequences)
        for number in reversed(blocks) if newest else blocks:
            inside = range(max(start, number * BLOCK), min(stop, (number + 1) * BLOCK))
            page = self._tagged(query, inside) if inside else []
            if page:
                yield page

    def _keyed(self, query: Query) -> tuple[str, int] | None:
        """The table and key that name the fewest candidates."""
        if query.leaf is not None:
            return "leaf", leaf_key(query.leaf)
        if query.request is not None:
            return "request", self._sealing().tag(query.request)
        if query.subject is not None:
            slot = self._sealing().slot(query.subject)
            return "subject", -1 if slot is None else slot  # no key: nothing is kept
        return None

    def _tagged(self, query: Query, inside: range) -> list[int]:
        """Those `inside` whose payload may fit, so that few need be opened."""
        if query.request is None and query.subject is None:
            return list(inside)
        tag = None if query.request is None else self._sealing().tag(query.request)
        slot = None if query.subject is None else self._sealing().slot(query.subject)
        if query.subject is not None and slot is None:
            return []
        sql = "SELECT idx, slot, tag FROM payload WHERE idx >= ? AND idx < ? ORDER BY idx"
        return [
            row[0]
            for row in self._store.rows(sql, (inside.start, inside.stop))
            if slot in (None, row[1]) and tag in (None, row[2])
        ]

    def _first_of(
        self, file: SideFile | None, names: Sequence[str], size: int
    ) -> dict[str, int | None]:
        tags = {name: self._sealing().tag(name) for name in names}
        proposed = self._firsts(file, list(tags.values()), size)
        payloads = self._boxes.some(list(proposed.values()))
        found: dict[str, int | None] = {}
        for name, tag in tags.items():
            index = proposed.get(tag)
            fits = index is None or Query(request=name).fits_payload(payloads.get(index))
            found[name] = index if fits else self.first(name, size)
        return found

    def _firsts(self, file: SideFile | None, tags: Sequence[int], size: int) -> dict[int, int]:
        """First index by tag, as the index or else the payloads' own tags tell it."""
        if file is not None:
            return self._recent.firsts(tags) | file.firsts("request", tags, size)
        wanted, firsts = set(tags), dict[int, int]()
        for start in range(0, size, BLOCK):
            sql = "SELECT idx, tag FROM payload WHERE idx >= ? AND idx < ? ORDER BY idx"
            for index, tag in self._store.rows(sql, (start, min(size, start + BLOCK))):
                if tag in wanted:
                    firsts.setdefault(tag, index)
        return firsts

    def _sealing(self) -> Vault:
        if self._vault is None:
            raise StorageFailed(
                "the log was opened without its vault, which knows requests and subjects",
                remedy="open it with the vault that sealed its payloads",
            )
        return self._vault

    # -- the file ----------------------------------------------------------------------------

    def _near(self, size: int) -> SideFile | None:
        """The side file, which with `_recent` has all of `size` records; None if it cannot."""
        file = self._current(0)
        if file is None:
            return None
        try:
            known = file.known
        except sqlite3.Error:
            return self._current(size)
        if size - known > TOO_LATE:
            return self._current(size)
        if size - known > LATE:
            self._begin_filling(size)
        self._recent.follow(min(known, size), size)
        return file

    def _begin_filling(self, size: int) -> None:
        """Another thread brings the file up to `size`, through a connection of its own."""
        if self._filling is None or not self._filling.is_alive():
            self._filling = Thread(target=self._fill, args=(size,), name="lookup", daemon=True)
            self._filling.start()

    def _fill(self, size: int) -> None:
        with (
            suppress(sqlite3.Error, StorageFailed),  # whoever asks next meets it too, and tells
            closing(SideFile(self._path, self._store)) as file,
        ):
            file.catch_up(size)

    def _end_filling(self) -> None:
        if self._filling is not None:
            self._filling.join()
            self._filling = None

    def _current(self, size: int) -> SideFile | None:
        """The side file with all of `size` records; None where it cannot be had."""
        for _ in range(2):  # as it is, else made anew
            try:
                if self._file is None:
                    self._file = SideFile(self._path, self._store)
                self._file.catch_up(size)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                    return None  # it is sound: another process fills it
                self._discard()
            else:
                return self._file
        return None

    def _discard(self) -> None:
        """It may be deleted at any time; where it cannot be, it stays unused."""
        self._end_filling()
        if self._file is not None:
            self._file.close()
            self._file = None
        try:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(FILE + suffix).unlink(missing_ok=True)
        except OSError:
            return


def _within(value: int | None, span: Span) -> bool:
    return span is None or (value is not None and span[0] <= value <= span[1])
