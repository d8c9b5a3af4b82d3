"""From a log and its models to a pack: the same evidence gives the same bytes.

A pack ends at the log's last checkpoint; what lies behind it, nobody has signed for.
Every record's body is in it, because bodies are anonymous and a gap would hide anything.
Payloads are personal: those outside of `opened` are withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from veridict.core.errors import BadInput, Refused
from veridict.core.nouns import Payload
from veridict.core.progress import Progress, Step, silent
from veridict.ledger.faces import tile_bytes
from veridict.ledger.view import LogView
from veridict.models.shelf import Shelf
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Signer
from veridict.proofs.tlog_tiles import CHECKPOINT, TILE_WIDTH, paths_between
from veridict.services.anchoring.places import Deployed
from veridict.services.audit.walk import rows_of
from veridict.services.deploy import Addresses
from veridict.services.pack import layout, manifest
from veridict.services.pack.archive import write_archive
from veridict.services.pack.layout import About, State
from veridict.services.pack.measured import Grouping, Measured
from veridict.services.pack.readme import readme
from veridict.services.papers.files import Subject, write_papers
from veridict.services.records import (
    ErasureRecord,
    LogRecord,
    ModelRecord,
    decode,
    is_prediction,
)

Made = tuple[str, Callable[[], bytes]]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What a pack is written from. `signer` is the log's own; `home` has the registry."""

    log: LogView
    shelf: Shelf
    signer: Signer
    operator: str
    home: Addresses
    since: int = 0
    places: tuple[Deployed, ...] = ()
    guards: tuple[str, ...] = ()
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """The pack as written: `size` records under `head`, `behind` more have no checkpoint yet."""

    path: Path
    sha256: str
    bytes: int
    members: int
    size: int
    opened: tuple[int, int]
    behind: int


def export(
    exhibit: Exhibit,
    target: Path,
    *,
    first: int = 0,
    stop: int | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write the pack to `target`, opening payloads of records `first`..`stop`-1.

    Raises Refused before the first checkpoint, BadInput for a range that is none,
    EvidenceError where the log was damaged, NotFound where a model is gone, StorageFailed.
    """
    log = exhibit.log
    head = log.last_checkpoint()
    if head is None or head.size == 0:
        raise Refused(
            "this log has no checkpoint yet",
            remedy="anchor once: `veridict chain anchor`",
            reason="no checkpoint",
        )
    opened = (first, head.size if stop is None else min(stop, head.size))
    if not 0 <= opened[0] <= opened[1]:
        raise BadInput(
            f"records {first} to {stop} are no range of {head.size}",
            remedy="choose 0 <= --from <= --to",
        )
    _refuse_open_erasures(log, head.size)
    made = sorted(_members(exhibit, head, opened), key=lambda member: member[0])
    size = write_archive(target, _signed(exhibit, head.size, made, progress))
    with target.open("rb") as file:
        digest = sha256()
        while part := file.read(1 << 20):
            digest.update(part)
    behind = log.size - head.size
    return Exported(target, digest.hexdigest(), size, len(made) + 2, head.size, opened, behind)


def _refuse_open_erasures(log: LogView, size: int) -> None:
    """What an erasure behind the pack's end takes, the pack could not account for."""
    for body in log.bodies(size, log.size):
        if not is_prediction(body) and isinstance(decode(body), ErasureRecord):
            raise Refused(
                "an erasure is not under a checkpoint yet, so a pack could not account for it",
                remedy="anchor first: `veridict chain anchor`, then export again",
                reason="open erasure",
            )


def _signed(
    exhibit: Exhibit, size: int, made: Sequence[Made], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """The members, then their digests, then the signature: in one pass over the log."""
    digests = []
    for done, (name, make) in enumerate(made, 1):
        data = make()
        digests.append((name, sha256(data).hexdigest()))
        yield name, data
        progress(Step(None, "writing the pack", done, len(made)))
    _refuse_open_erasures(exhibit.log, size)  # one may have come while this was written
    sums = manifest.encode_sums(digests)
    yield layout.SUMS, sums
    yield layout.STATEMENT, manifest.sign(exhibit.signer, sums)


def _members(exhibit: Exhibit, head: SignedCheckpoint, opened: tuple[int, int]) -> Iterator[Made]:
    log, size = exhibit.log, head.size
    about = About(
        layout.FORMAT, log.origin, log.verifier.vkey, exhibit.operator, size, opened,
        exhibit.home, exhibit.since, list(exhibit.places), list(exhibit.guards),
    )  # fmt: skip
    anchors = [anchor for anchor in log.anchors() if anchor.size <= size]
    papers = _papers(exhibit, size)
    yield layout.README, partial(readme, about)
    yield layout.ABOUT, about.encode
    yield layout.ANCHORS, partial(layout.encode_anchors, anchors)
    yield layout.METRICS, partial(_claims, exhibit, size, opened)
    if log.policy is not None:
        yield layout.POLICY, log.policy.encode
    for number, text in enumerate(log.checkpoint_texts()):
        yield layout.checkpoint_name(number), text.encode
    for name, data in papers.items():
        yield name, partial(bytes, data)
    yield layout.LOG + CHECKPOINT, head.text.encode
    for path in paths_between(0, size):
        yield layout.LOG + path.text, partial(tile_bytes, log, path)
    for n in range(-(-size // TILE_WIDTH)):
        yield layout.bundle_name(n), partial(_payloads, log, n, size, opened)


def _payloads(log: LogView, n: int, size: int, opened: tuple[int, int]) -> bytes:
    start, stop = n * TILE_WIDTH, min(size, (n + 1) * TILE_WIDTH)
    found = zip(log.bodies(start, stop), log.payloads(start, stop), strict=True)
    return layout.encode_payloads(
        [_state(index, body, payload, opened) for index, (body, payload) in enumerate(found, start)]
    )


def _state(
    index: int, body: bytes, payload: Payload | None, opened: tuple[int, int]
) -> Payload | State:
    """An erasure is always open: it accounts for what is missing, and names nobody."""
    if opened[0] <= index < opened[1]:
        return State.NONE if payload is None else payload
    if is_prediction(body):
        return State.WITHHELD
    if payload is None or isinstance(decode(body), ErasureRecord):
        return State.NONE if payload is None else payload
    return State.WITHHELD


def _claims(exhibit: Exhibit, size: int, opened: tuple[int, int]) -> bytes:
    measured = Measured(exhibit.grouping)
    for start in range(0, size, 4096):
        rows = rows_of(exhibit.log, start, min(size, start + 4096))
        inside = range(*opened)
        measured.see(
            [row for row in rows if row.index in inside or not is_prediction(row.body or b"")]
        )
    return layout.encode_claims(measured.claims())


def _papers(exhibit: Exhibit, size: int) -> dict[str, bytes]:
    """Every registered model's, as it was logged last."""
    found: dict[str, ModelRecord] = {}
    for body in exhibit.log.bodies(0, size):
        record: LogRecord | None = None if is_prediction(body) else decode(body)
        if isinstance(record, ModelRecord):
            found[record.model_id] = record
    return {
        layout.model_name(model_id, name): data
        for model_id, record in found.items()
        for name, data in write_papers(Subject.of(record, exhibit.shelf), exhibit.signer).items()
    }
