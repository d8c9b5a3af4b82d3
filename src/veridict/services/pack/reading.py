"""A pack as its reader has it: a log and models to examine, and what is wrong with the file.

What makes the file no pack raises; what makes it a false one is a finding, and reading goes on:

    pack.missing       a member that the log's size or the list of digests asks for is not there
    pack.surplus       a member that nothing asks for
    pack.order         members stand in another order than they are written
    pack.altered       a member has another digest than SHA256SUMS tells
    pack.sums, pack.statement, dsse.malformed, dsse.signature
                       the list of digests, or the signature on it, does not hold
    bundle.malformed, payloads.malformed, checkpoint.…
                       a member that cannot be read
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from veridict.core.errors import BadInput, EvidenceError, StorageFailed, VeridictError
from veridict.core.nouns import Anchor, Finding, Payload
from veridict.core.progress import Progress, Step, silent
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import HASH_BYTES
from veridict.proofs.note import Verifier
from veridict.proofs.tlog_policy import Policy
from veridict.proofs.tlog_tiles import (
    CHECKPOINT,
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TilePath,
    decode_bundle,
    paths_between,
    width_of,
)
from veridict.services.audit.walk import MAX_FINDINGS
from veridict.services.pack import layout, manifest
from veridict.services.pack.archive import Archive
from veridict.services.pack.layout import About, Claim, State

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_NOTE_BYTES = 1 << 20


class Pack:
    """Use it in `with`, which closes the file. `findings` grow while it is read."""

    def __init__(self, source: Path | BinaryIO) -> None:
        """Raises NotFound, and EvidenceError where the file is no pack or promises too much."""
        self.archive = Archive(source)
        try:
            self.findings: list[Finding] = []
            self._many: Counter[str] = Counter()  # findings of one code
            self.about = About.decode(self._need(layout.ABOUT, layout.MAX_JSON_BYTES))
            self.head = SignedCheckpoint(_text(self._need(layout.LOG + CHECKPOINT, MAX_NOTE_BYTES)))
            self.own_key = _key(self.about)
            self._refuse_impossible()
            self.log = PackLog(self.archive, self.about, self.own_key, self.findings)
            self.models = PackModels(self.archive)
        except BaseException:
            self.archive.__exit__()
            raise

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.__exit__()

    def claims(self) -> list[Claim]:
        """What the keeper says the decided rows came to."""
        try:
            return layout.decode_claims(self._need(layout.METRICS, layout.MAX_JSON_BYTES))
        except EvidenceError as problem:
            note(self.findings, problem, layout.METRICS)
            return []

    def fetch(self, path: str) -> bytes | None:
        """A file of the log as it is published, for `ledger.published.PublishedLog`."""
        limit = MAX_BUNDLE_BYTES if path.startswith("tile/entries/") else MAX_NOTE_BYTES
        return self.archive.read(layout.LOG + path, limit)

    def check_members(self, key: Verifier, progress: Progress = silent) -> int:
        """Hold every member to the list of digests, and that to `key`; returns how many."""
        names = list(self.archive.members)
        expected = self._expected()
        if names != [*sorted(names[:-2]), layout.SUMS, layout.STATEMENT]:
            self._found("pack.order", "the members", "the order they are written in", "another")
        for name in sorted(expected - set(names)):
            self._found("pack.missing", name, "a member", "nothing")
        for name in sorted(set(names) - expected):
            self._found("pack.surplus", name, "nothing", "a member")
        told = self._signed_sums(key)
        for done, name in enumerate(names, 1):
            digest, whole = self.archive.digest(name)
            if told.get(name, digest) != digest:
                self._found("pack.altered", name, told[name], digest)
            elif not whole:
                self._found("pack.malformed", name, "its checksum", "another")
            progress(Step(None, "digests of the members", done, len(names)))
        if told:
            for name in sorted(told.keys() ^ (set(names) - {layout.SUMS, layout.STATEMENT})):
                self._found("pack.sums", layout.SUMS, "the members, one line each", name)
        for code, many in self._many.items():
            if many > MAX_FINDINGS:
                more = f"{many - MAX_FINDINGS:,} more"
                self.findings.append(Finding(code, "elsewhere", "no more findings", more))
        return len(names)

    def _signed_sums(self, key: Verifier) -> dict[str, str]:
        try:
            sums = self._need(layout.SUMS, manifest.MAX_SUMS_BYTES)
            statement = self._need(layout.STATEMENT, layout.MAX_JSON_BYTES)
        except EvidenceError:
            return {}  # named as missing
        for where, check in (
            (layout.STATEMENT, lambda: manifest.check(statement, sums, key)),
            (layout.SUMS, lambda: manifest.decode_sums(sums)),
        ):
            try:
                told = check()
            except EvidenceError as problem:
                note(self.findings, problem, where)
                told = {}
        return told or {}

    def _expected(self) -> set[str]:
        """Of models the directory itself tells which; what they are, the questions ask."""
        size, names = self.about.size, self.archive.members
        heads = sum(name.startswith(layout.CHECKPOINTS) for name in names)
        return {
            layout.README, layout.ABOUT, layout.ANCHORS, layout.METRICS, layout.SUMS,
            layout.STATEMENT, layout.LOG + CHECKPOINT,
            *({layout.POLICY} & names.keys()),
            *(name for name in names if name.startswith(layout.MODELS)),
            *(layout.checkpoint_name(number) for number in range(max(1, heads))),
            *(layout.LOG + path.text for path in paths_between(0, size)),
            *(layout.bundle_name(n) for n in range(-(-size // TILE_WIDTH))),
        }  # fmt: skip

    def _refuse_impossible(self) -> None:
        """Before anything is done as often as a number in the pack says."""
        size = self.about.size
        if self.head.size != size:
            why = f"it is of {size} records, its head of {self.head.size}"
            raise layout.wrong("pack.about", why)
        if size == 0 or -(-size // TILE_WIDTH) > len(self.archive.members):
            why = f"{len(self.archive.members)} members cannot hold {size} records"
            raise layout.wrong("pack.about", why)

    def _need(self, name: str, limit: int) -> bytes:
        data = self.archive.read(name, limit)
        if data is None:
            raise layout.wrong("pack.missing", f"{name} is not in it")
        return data

    def _found(self, code: str, where: str, expected: str, found: str) -> None:
        self._many[code] += 1
        if self._many[code] <= MAX_FINDINGS:
            self.findings.append(Finding(code, where, expected, found))


class PackLog:
    """A `services.audit.source.Source` over the members of a pack."""

    def __init__(
        self, archive: Archive, about: About, verifier: Verifier, findings: list[Finding]
    ) -> None:
        self._archive, self._findings = archive, findings
        self._opened = range(*about.opened)
        self.size = about.size
        self.verifier = verifier
        self.policy: Policy | None = None

    def records(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for n, first, last in _pages(start, stop):
            data = self._archive.read(self._path(None, n), MAX_BUNDLE_BYTES)
            try:
                bodies = [] if data is None else decode_bundle(data, self._width(n))
            except EvidenceError as problem:
                note(self._findings, problem, self._path(None, n))
                continue
            yield from enumerate(bodies[first : first + last - first], n * TILE_WIDTH + first)

    def stored_payloads(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for n, first, last in _pages(start, stop):
            for index, state in enumerate(self._states(n)[first:last], n * TILE_WIDTH + first):
                if isinstance(state, bytes):
                    yield index, state

    def opened_payloads(self, start: int, stop: int) -> Iterator[tuple[int, Payload | None]]:
        """Those that are there, None where one is damaged."""
        for index, stored in self.stored_payloads(start, stop):
            yield index, layout.open_payload(stored)

    def withheld(self, start: int, stop: int) -> list[int]:
        """Outside of what the pack opens. Inside, what is said to be withheld is missing."""
        return [index for index in range(start, stop) if index not in self._opened]

    def leaves(self, start: int, stop: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for n, first, last in _pages(start, stop):
            data = self._archive.read(self._path(0, n), TILE_WIDTH * HASH_BYTES)
            if data is None or len(data) != self._width(n) * HASH_BYTES:
                raise StorageFailed(
                    f"{self._path(0, n)} is missing or too short", remedy="ask for the pack again"
                )
            found += [data[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(first, last)]
        return found

    def leaf(self, index: int) -> bytes:
        return self.leaves(index, index + 1)[0]

    def surplus(self) -> list[int]:
        return []  # members outside of the tree are named by their names

    def checkpoint_texts(self) -> list[str]:
        texts: list[str] = []
        while (name := layout.checkpoint_name(len(texts))) in self._archive:
            texts.append(_text(self._archive.read(name, MAX_NOTE_BYTES) or b""))
        return texts

    def anchors(self) -> list[Anchor]:
        data = self._archive.read(layout.ANCHORS, layout.MAX_JSON_BYTES)
        if data is None:
            return []  # named as missing
        try:
            return layout.decode_anchors(data)
        except EvidenceError as problem:
            note(self._findings, problem, layout.ANCHORS)
            return []

    def own_policy(self) -> Policy | None:
        """The witnesses that the keeper names: his word, like his key."""
        data = self._archive.read(layout.POLICY, MAX_NOTE_BYTES)
        try:
            return None if data is None else Policy.parse(data)
        except BadInput as problem:
            finding = Finding("policy.malformed", layout.POLICY, "a policy", problem.message)
            self._findings.append(finding)
            return None

    def _states(self, n: int) -> list[State | bytes]:
        name = layout.bundle_name(n)
        data = self._archive.read(name)
        try:
            return [] if data is None else layout.decode_payloads(data, self._width(n))
        except EvidenceError as problem:
            note(self._findings, problem, name)
            return []

    def _path(self, level: int | None, n: int) -> str:
        return layout.LOG + TilePath(level, n, self._width(n)).text

    def _width(self, n: int) -> int:
        return width_of(TilePath(0, n), self.size)


class PackModels:
    """A `services.audit.source.Copies` over the members of a pack."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def get(self, model_id: bytes) -> bytes | None:
        return self._archive.read(layout.model_name(model_id.hex(), "model.vdm"))

    def annex(self, model_id: bytes) -> bytes | None:
        return self._archive.read(layout.model_name(model_id.hex(), "model.annex"))

    def papers(self, model_id: bytes) -> dict[str, bytes]:
        """The files of one model by their names."""
        start = layout.model_name(model_id.hex(), "")
        names = [name for name in self._archive.members if name.startswith(start)]
        return {name.removeprefix(start): self._archive.read(name) or b"" for name in names}


def note(findings: list[Finding], problem: VeridictError, where: str) -> None:
    """One finding for one place, however often it is read."""
    code = str(problem.facts.get("finding", problem.code))
    if not any((f.code, f.where) == (code, where) for f in findings):
        findings.append(Finding(code, where, "as it was written", problem.message))


def _pages(start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """(number, first, behind the last) within pages of 256, for records `start`..`stop`-1."""
    for n in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
        at = n * TILE_WIDTH
        yield n, max(start - at, 0), min(stop - at, TILE_WIDTH)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _key(about: About) -> Verifier:
    try:
        key = Verifier.from_vkey(about.vkey)
    except BadInput as problem:
        raise layout.wrong("pack.about", problem.message) from problem
    if key.name != about.origin:
        raise layout.wrong("pack.about", f"its key is of {key.name!r}, its log {about.origin!r}")
    return key
