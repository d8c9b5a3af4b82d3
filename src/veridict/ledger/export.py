"""Publishing a log as static files: incremental, repeatable, the checkpoint last.

A reader who sees a checkpoint finds every tile it needs, whenever the export was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from veridict.core.errors import EvidenceError, Refused
from veridict.ledger.faces import tile_bytes
from veridict.ledger.filestores import FileStore
from veridict.ledger.view import LogView
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT
from veridict.proofs.tlog_tiles import (
    CHECKPOINT,
    TILE_WIDTH,
    TilePath,
    hashes_at,
    paths_between,
)


@dataclass(frozen=True, slots=True)
class Exported:
    """The store held the log's first `old_size` records, now it holds `size`."""

    old_size: int
    size: int
    files: int


def export(
    log: LogView,
    store: FileStore,
    *,
    whole: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Bring `store` to the log's last checkpoint; returns what was done.

    `whole` writes every file again, also those that are there. `tell` is given the number of
    files so far. Raises Refused before the first checkpoint, StorageFailed, and EvidenceError
    ("export.rolled-back", "export.forked") where the store holds another history.
    """
    head = log.last_checkpoint()
    if head is None:
        raise Refused(
            "this log has no checkpoint yet",
            remedy="anchor once: `veridict chain anchor`",
            reason="no checkpoint",
        )
    text, old_size = _published(log, store, head)
    files = 0
    for path in paths_between(0 if whole else old_size, head.size):
        store.write(path.text, tile_bytes(log, path))
        files += 1
        tell(files)
    if text != head.text or whole:
        store.settle()  # or a power cut could keep the checkpoint and lose a tile
        store.write(CHECKPOINT, head.text.encode())
        store.settle()
        files += 1
    for path in _grown_full(old_size, head.size):  # only now does nobody need the partial ones
        store.remove(f"{path.text}.p")
    return Exported(old_size, head.size, files)


def _published(log: LogView, store: FileStore, head: SignedCheckpoint) -> tuple[str, int]:
    """The store's own checkpoint and size; it must be of this log's past."""
    data = store.read(CHECKPOINT)
    if data is None:
        return "", 0
    text = data.decode("utf-8", errors="replace")
    old = SignedCheckpoint(text).verify(log.verifier, log.origin)
    if old.size > head.size:
        raise _other_history("export.rolled-back", old.size, head.size)
    if old.root != (log.root(old.size) if old.size else EMPTY_ROOT):
        raise _other_history("export.forked", old.size, head.size)
    return text, old.size


def _grown_full(old_size: int, size: int) -> Iterator[TilePath]:
    """Full tiles and bundles of which the older tree had a partial version."""
    level = 0
    while hashes_at(level, old_size):
        n, width = divmod(hashes_at(level, old_size), TILE_WIDTH)
        if width and hashes_at(level, size) >= (n + 1) * TILE_WIDTH:
            yield TilePath(level, n)
            if level == 0:
                yield TilePath(None, n)
        level += 1


def _other_history(finding: str, published: int, size: int) -> EvidenceError:
    return EvidenceError(
        f"the store holds {published} records under this log's key that are not its first ones",
        remedy="audit the log; publish to another place only once you know which history is true",
        finding=finding,
        published=published,
        size=size,
    )
