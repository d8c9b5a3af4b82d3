"""The log: append-only, durable when acknowledged, provable to strangers.

    with Log.open(directory, signer=load_or_create_signer(directory, "example.com/log")) as log:
        at = log.append([Entry(record.encode(), payload)])
        head = log.checkpoint()
        proof = log.inclusion_proof(at.first_index, head.size)

One process writes; any number read beside it with `Log.open_readonly`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from weakref import WeakKeyDictionary

from veridict.core.errors import BadInput, EvidenceError, NotFound, StorageFailed
from veridict.core.nouns import Anchor, Payload, RecordState
from veridict.core.ports import Clock
from veridict.ledger.heads import FinalBlocks, Heads
from veridict.ledger.lock import DirectoryLock
from veridict.ledger.lookup import RequestIndex
from veridict.ledger.payloads import decode_payload, encode_payload
from veridict.ledger.schema import storage_errors
from veridict.ledger.store import Store
from veridict.ledger.tiles import Tile, TileNodes
from veridict.ledger.writer import Appended, FutureWaiter, Job, LoopMailbox, LoopWaiter, Writer
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Signer, Verifier
from veridict.proofs.prover import consistency_proof, inclusion_proof, range_root

MAX_BODY_BYTES = 65_535  # c2sp.org/tlog-tiles: entry bundles have uint16 lengths
_VKEY = "log.vkey"
_LOCK = "log.lock"
# One statement, so that a writer beside us cannot come between the two counts.
_SURPLUS = """
SELECT idx FROM record WHERE idx < 0 OR idx >= coalesce(
  (SELECT n * 256 + length(hashes) / 32 FROM tile WHERE level = 0 ORDER BY n DESC LIMIT 1), 0)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf's bytes, and what opens its commitments where it has any."""

    body: bytes
    payload: Payload | None = None


def wall_clock_ms() -> int:
    return time_ns() // 1_000_000


class Log:
    """Open with `Log.open` or `Log.open_readonly`; thread-safe; close when done."""

    def __init__(self, directory: Path, signer: Signer | None, clock: Clock) -> None:
        self.path = directory
        self._signer = signer
        self._clock = clock
        self._lock: DirectoryLock | None = None
        if signer is not None:
            with storage_errors(directory):
                directory.mkdir(parents=True, exist_ok=True)
                self._lock = DirectoryLock(directory / _LOCK)
        try:
            self._open(directory, signer)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def _open(self, directory: Path, signer: Signer | None) -> None:
        writable = signer is not None
        self._store = Store(directory, writable=writable)
        self._nodes = TileNodes(self._store.tile)
        self._heads = Heads(self._store, self.root)
        self._requests = RequestIndex(directory, self._store, writable=writable)
        self._mailboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopMailbox] = (
            WeakKeyDictionary()
        )
        try:
            self.verifier = self._claim(signer)
            self._writer = Writer(self._store) if writable else None
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def open(cls, path: Path, *, signer: Signer, clock: Clock = wall_clock_ms) -> Log:
        """Opens the log in directory `path` for writing, creating it if need be.

        Raises NodeRunning where another process writes it, StorageFailed, and
        BadInput where the log is kept under another key.
        """
        return cls(path, signer, clock)

    @classmethod
    def open_readonly(cls, path: Path) -> Log:
        """Opens an existing log, also while another process writes it. Raises StorageFailed."""
        return cls(path, None, wall_clock_ms)

    # -- append ------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> Appended:
        """Returns when all `entries` are on disk, with consecutive indexes.

        All or nothing. Raises BadInput, or StorageFailed with nothing written.
        """
        return self.submit(entries).result()

    def submit(self, entries: Sequence[Entry]) -> Future[Appended]:
        """As `append`, without waiting: the future is done when the entries are on disk."""
        waiter = FutureWaiter()
        self._writing().submit(_job(entries, waiter))
        return waiter.future

    async def append_async(self, entries: Sequence[Entry]) -> Appended:
        """As `append`, from a coroutine. A task cancelled here may still have appended."""
        loop = asyncio.get_running_loop()
        mailbox = self._mailboxes.get(loop)
        if mailbox is None:
            mailbox = self._mailboxes[loop] = LoopMailbox(loop)
        waiter = LoopWaiter(mailbox, loop.create_future())
        self._writing().submit(_job(entries, waiter), block=False)
        return await waiter.future

    # -- read --------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of durable records."""
        return self._writer.edge.size if self._writer else self._store.tree_size()

    @property
    def origin(self) -> str:
        """The log's name: the first line of its checkpoints."""
        return self.verifier.name

    def body(self, index: int) -> bytes:
        """Raises NotFound beyond the log, EvidenceError where the record was taken away."""
        self._check_index(index)
        row = self._store.one("SELECT body FROM record WHERE idx = ?", (index,))
        if row is None:
            raise _missing(index)
        body: bytes = row[0]
        return body

    def bodies(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bodies of records start .. stop - 1. Raises EvidenceError at the first that is gone."""
        end = self._stop(start, stop)
        for index, body in self.records(start, end):
            if index != start:
                raise _missing(start)
            start += 1
            yield body
        if start != end:
            raise _missing(start)

    def records(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(index, body) of the records that are there: an audit finds the gaps itself."""
        for page in self._store.scan("record", start, self._stop(start, stop)):
            yield from page

    def surplus(self) -> list[int]:
        """Indexes of stored records that the tree does not cover: none, unless someone tampered."""
        return [row[0] for row in self._store.rows(_SURPLUS)]

    def payload(self, index: int) -> Payload | None:
        """None where the record has none or it was erased. Raises NotFound, EvidenceError."""
        self._check_index(index)
        row = self._store.one("SELECT payload FROM payload WHERE idx = ?", (index,))
        return decode_payload(row[0]) if row else None

    def payloads(self, start: int = 0, stop: int | None = None) -> Iterator[Payload | None]:
        """One item a record, None where there is no payload. Raises EvidenceError."""
        stop = self._stop(start, stop)
        for page in self._store.scan("payload", start, stop):
            for index, data in page:
                for _ in range(start, index):
                    yield None
                start = index + 1
                yield decode_payload(data)
        for _ in range(start, stop):
            yield None

    def stored_payloads(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) of the payloads that are there, undecoded: an audit judges them itself."""
        for page in self._store.scan("payload", start, self._stop(start, stop)):
            yield from page

    def find_request(self, request_id: str) -> int | None:
        """Index of the first record of this request, checked against its payload."""
        return self._requests.find(request_id, self.size)

    # -- prove -------------------------------------------------------------------------------

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` records, of all by default. Raises BadInput beyond the log."""
        return range_root(0, self._tree(size), self._nodes)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """For proofs.merkle.verify_inclusion. Raises BadInput unless index < size <= log.size."""
        return inclusion_proof(index, self._tree(size), self._nodes)

    def consistency_proof(self, size1: int, size2: int | None = None) -> list[bytes]:
        """For proofs.merkle.verify_consistency. Raises BadInput unless 0 < size1 <= size2."""
        return consistency_proof(size1, self._tree(size2), self._nodes)

    def leaf(self, index: int) -> bytes:
        """The leaf hash in the tree, which an audit compares with the body's."""
        self._check_index(index)
        return self._nodes(0, index)

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Leaf hashes start .. stop - 1 as the tiles keep them. Raises BadInput beyond the log."""
        return [self._nodes(0, index) for index in range(start, self._stop(start, stop))]

    def tile(self, level: int, n: int) -> Tile | None:
        """One tile as stored (c2sp.org/tlog-tiles), partial ones as they are now."""
        return self._store.tile(level, n)

    # -- heads -------------------------------------------------------------------------------

    def checkpoint(self) -> SignedCheckpoint:
        """Signs the durable head and stores it; the same head is not signed twice.

        Raises EvidenceError ("log.forked") where the tree does not extend the last checkpoint.
        """
        if self._signer is None:
            raise _readonly()
        return self._heads.sign(self.size, self._signer, self._clock)

    def checkpoints(self) -> list[SignedCheckpoint]:
        """All, in the order of signing. Raises EvidenceError where one does not parse."""
        return self._heads.checkpoints()

    def checkpoint_texts(self) -> list[str]:
        """All as stored, for an audit that names what does not parse."""
        return self._heads.checkpoint_texts()

    def last_checkpoint(self) -> SignedCheckpoint | None:
        return self._heads.last()

    def put_anchor(self, anchor: Anchor) -> None:
        self._heads.put_anchor(anchor)

    def drop_anchor(self, anchor: Anchor) -> bool:
        """After a reorganisation; its records fall back. False where it was not stored."""
        return self._heads.drop_anchor(anchor)

    def anchors(self) -> list[Anchor]:
        """Those that stand, smallest tree first."""
        return self._heads.anchors()

    def state(self, index: int, final_blocks: FinalBlocks | None = None) -> RecordState:
        """How far record `index` has come; `final_blocks` gives each chain's last final block."""
        if index >= self.size and self._writer and index < self._writer.accepted:
            return RecordState.LOCAL
        self._check_index(index)
        return self._heads.state(index, final_blocks or {})

    # -- meta and life -----------------------------------------------------------------------

    def meta_get(self, key: str) -> bytes | None:
        row = self._store.one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def meta_put(self, key: str, value: bytes) -> None:
        """Durable on return."""
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """Commits what was submitted, then lets go of the files and the lock."""
        if self._writer is not None:
            self._writer.close()
        self._requests.close()
        self._store.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- checks ------------------------------------------------------------------------------

    def _claim(self, signer: Signer | None) -> Verifier:
        """The key under which this log is kept; a new log takes its writer's."""
        stored = self.meta_get(_VKEY)
        if stored is None and signer is not None:
            self.meta_put(_VKEY, signer.verifier.vkey.encode())
            return signer.verifier
        if stored is None:
            raise StorageFailed("this log was never opened for writing", remedy="open it once")
        verifier = Verifier.from_vkey(stored.decode(errors="replace"))
        if signer is not None and signer.verifier != verifier:
            raise BadInput(
                f"this log is kept under the key {verifier.vkey}",
                remedy="open it with that key's keystore",
                given=signer.verifier.vkey,
            )
        return verifier

    def _writing(self) -> Writer:
        if self._writer is None:
            raise _readonly()
        return self._writer

    def _tree(self, size: int | None) -> int:
        whole = self.size
        if size is not None and not 0 <= size <= whole:
            raise BadInput(f"the log has {whole} records, not {size}", remedy="ask for fewer")
        return whole if size is None else size

    def _stop(self, start: int, stop: int | None) -> int:
        end = self._tree(stop)
        if not 0 <= start <= end:
            raise BadInput(f"{start} is no start of a range up to {end}", remedy="start lower")
        return end

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise NotFound(
                f"there is no record {index}",
                remedy=f"the log has records 0 to {self.size - 1}" if self.size else "append first",
                index=index,
            )


def _job(entries: Sequence[Entry], waiter: FutureWaiter | LoopWaiter) -> Job:
    """Encodes in the caller's thread, so that a bad entry fails its caller alone."""
    if not entries:
        raise BadInput("nothing to append", remedy="pass at least one entry")
    bodies = [entry.body for entry in entries]
    for body in bodies:
        if not 0 < len(body) <= MAX_BODY_BYTES:
            raise BadInput(
                f"a body of {len(body)} bytes cannot be logged",
                remedy=f"log 1 to {MAX_BODY_BYTES} bytes, and a hash of what is longer",
            )
    payloads = [None if e.payload is None else encode_payload(e.payload) for e in entries]
    return Job(bodies, payloads, waiter)


def _missing(index: int) -> EvidenceError:
    return EvidenceError(
        f"record {index} is gone from the log",
        remedy="put back a backup; the tree still proves what it was",
        finding="record.missing",
        index=index,
    )


def _readonly() -> StorageFailed:
    return StorageFailed("the log was opened read-only", remedy="open it for writing")
