"""The log: append-only, durable when acknowledged, provable to strangers.

    with Log.open(directory, signer=load_or_create_signer(directory, "example.com/log")) as log:
        at = log.append([Entry(record.encode(), payload)])
        head = log.checkpoint()
        proof = log.inclusion_proof(at.first_index, head.size)

One process writes; any number read beside it with `Log.open_readonly`. Where several
must write, they share a database (`store="postgresql://..."`), and each has its directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

from veridict.core.clock import wall_clock_ms
from veridict.core.errors import BadInput, StorageFailed
from veridict.core.nouns import Anchor, RecordState
from veridict.core.ports import Clock, Personal, Vault
from veridict.ledger.entry import Entry, encode
from veridict.ledger.heads import FinalBlocks
from veridict.ledger.lock import DirectoryLock
from veridict.ledger.moving import LOCK, copy_rows
from veridict.ledger.schema import storage_errors
from veridict.ledger.sqlite import SqliteStore
from veridict.ledger.view import LogView
from veridict.ledger.waiting import THREADS, Appended, Job, LoopDesk, promise
from veridict.ledger.writer import Finish, Writer
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.proofs.note import Signature, Signer, Verifier

__all__ = ["Appended", "Entry", "Finish", "Log"]

_VKEY = "log.vkey"


class Log(LogView):
    """Open with `Log.open` or `Log.open_readonly`; thread-safe; close when done."""

    def __init__(
        self,
        directory: Path,
        signer: Signer | None,
        clock: Clock,
        also: Cosigner | None = None,
        store: str | None = None,
        finish: Finish | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._signer = signer
        self._also = also
        self._clock = clock
        self._lock: DirectoryLock | None = None
        self._desk: LoopDesk | None = None
        if signer is not None:
            with storage_errors(directory):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # payloads are personal
                self._lock = DirectoryLock(directory / LOCK)
        try:
            super().__init__(directory, writable=signer is not None, store=store, vault=vault)
            self._start(signer, finish)
        except BaseException:
            if vault is not None:
                vault.close()
            if self._lock is not None:
                self._lock.release()
            raise

    def _start(self, signer: Signer | None, finish: Finish | None) -> None:
        try:
            self.verifier = self._claim(signer)
            self._writer = Writer(self._store, finish, self._vault) if signer is not None else None
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        signer: Signer,
        clock: Clock = wall_clock_ms,
        also: Cosigner | None = None,
        store: str | None = None,
        finish: Finish | None = None,
        vault: Vault | None = None,
    ) -> Log:
        """Opens the log in directory `path` for writing, creating it if need be.

        `also` signs checkpoints beside `signer`: an ML-DSA-44 key under the log's own name.
        `store` is the URL of a PostgreSQL database in which several such logs are one;
        `finish` completes bodies under its lock. `vault` seals payloads, of which a log without
        one takes none; the log closes it.
        Raises NodeRunning where another process writes it, StorageFailed, MissingPart, and
        BadInput where the log is kept under another key or in another store.
        """
        if also is not None and (also.name, also.verifier.kind) != (signer.name, Kind.ML_DSA_44):
            raise BadInput(
                f"{also.name} is no second key of the log {signer.name}",
                remedy="use an ML-DSA-44 key under the log's own name",
            )
        return cls(path, signer, clock, also, store, finish, vault)

    @classmethod
    def open_readonly(
        cls, path: Path, *, store: str | None = None, vault: Vault | None = None
    ) -> Log:
        """Opens an existing log, also while others write it. Raises as `open`."""
        return cls(path, None, wall_clock_ms, store=store, vault=vault)

    @property
    def size(self) -> int:
        """Number of durable records."""
        if self._writer is None or self._store.shared:
            return super().size
        return self._writer.edge.size

    # -- append ------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> Appended:
        """Returns when all `entries` are on disk, with consecutive indexes.

        All or nothing. Raises BadInput, or StorageFailed with nothing written.
        """
        return self.submit(entries).result()

    def submit(self, entries: Sequence[Entry]) -> Future[Appended]:
        """As `append`, without waiting: the future is done when the entries are on disk."""
        future = promise()
        self._writing().submit(Job(*self._encoded(entries), future, THREADS))
        return future

    async def append_async(self, entries: Sequence[Entry]) -> Appended:
        """As `append`, from a coroutine. A task cancelled here may still have appended."""
        loop = asyncio.get_running_loop()
        desk = self._desk
        if desk is None or desk.loop is not loop:
            desk = self._desk = LoopDesk(loop)
        future: asyncio.Future[Appended] = loop.create_future()
        self._writing().submit(Job(*self._encoded(entries), future, desk), block=False)
        return await future

    def settle(self) -> None:
        """Returns when all that was submitted before is on disk, or has failed."""
        future = promise()
        self._writing().submit(Job([], [], future, THREADS))
        future.result()

    # -- erase -------------------------------------------------------------------------------

    def sealed_under(self, slot: int) -> list[int]:
        """Indexes of the records whose payload is sealed under the vault's key `slot`."""
        return [index for index, _, _ in self._boxes.under(slot)]

    def forget(self, slot: int) -> None:
        """Deletes all payloads sealed under `slot`, here and in the lookup index. Repeatable.

        Raises StorageFailed, also while a reader keeps what was deleted in use.
        """
        rows = self._boxes.under(slot)
        self._lookups.forget(rows, self.size)
        self._store.forget("payload", "slot", slot)
        self._lookups.forget(rows, self.size)  # a reader may have indexed them meanwhile

    # -- heads -------------------------------------------------------------------------------

    def checkpoint(self) -> SignedCheckpoint:
        """Signs the durable head and stores it; the same head is not signed twice.

        Raises EvidenceError ("log.forked") where the tree does not extend the last checkpoint.
        """
        if self._signer is None:
            raise _readonly()
        return self._heads.sign(self._signer, self._clock, self._also)

    def put_cosignatures(
        self, head: SignedCheckpoint, added: Sequence[Signature]
    ) -> SignedCheckpoint:
        """Keeps verified cosignatures of a checkpoint of this log; returns it with all it has."""
        return self._heads.put_cosignatures(head, added)

    def put_anchor(self, anchor: Anchor) -> None:
        self._heads.put_anchor(anchor)

    def drop_anchor(self, anchor: Anchor) -> bool:
        """After a reorganisation; its records fall back. False where it was not stored."""
        return self._heads.drop_anchor(anchor)

    def state(self, index: int, final_blocks: FinalBlocks | None = None) -> RecordState:
        """As LogView.state; LOCAL while the record is on its way to the disk."""
        if self._writer and self.size <= index < self._writer.accepted:
            return RecordState.LOCAL
        return super().state(index, final_blocks)

    # -- meta and life -----------------------------------------------------------------------

    def meta_put(self, key: str, value: bytes) -> None:
        """Durable on return."""
        with self._store.transaction() as tx:
            tx.put("meta", ("key",), ("value",), [key, value])

    def copy_to(self, directory: Path) -> None:
        """This moment's log in a file of its own; whoever writes waits meanwhile."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            closing(SqliteStore(directory, writable=True)) as copy,
            self._store.transaction() as held,
            copy.transaction() as fresh,
        ):
            copy_rows(held, fresh)

    def close(self) -> None:
        """Commits what was submitted, then lets go of the files and the lock."""
        if self._writer is not None:
            self._writer.close()
        self._lookups.close()
        self._store.close()
        if self._vault is not None:
            self._vault.close()
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
            stored = self._store_first(_VKEY, signer.verifier.vkey.encode())
        if stored is None:
            raise StorageFailed("this log was never opened for writing", remedy="open it once")
        try:
            verifier = Verifier.from_vkey(stored.decode(errors="replace"))
        except BadInput as error:
            raise StorageFailed(
                "the log's own key is damaged", remedy="put back a backup"
            ) from error
        if signer is not None and signer.verifier != verifier:
            raise BadInput(
                f"this log is kept under the key {verifier.vkey}",
                remedy="open it with that key's keystore",
                given=signer.verifier.vkey,
            )
        return verifier

    def _store_first(self, key: str, value: bytes) -> bytes:
        """Stores `value` unless another opener was faster; what is stored."""
        with self._store.transaction() as tx:
            tx.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
                (key, value),
            )
            row = tx.one("SELECT value FROM meta WHERE key = ?", (key,))
        return value if row is None else bytes(row[0])

    def _encoded(self, entries: Sequence[Entry]) -> tuple[list[bytes], list[Personal | None]]:
        return encode(entries, sealable=self._vault is not None)

    def _writing(self) -> Writer:
        if self._writer is None:
            raise _readonly()
        return self._writer


def _readonly() -> StorageFailed:
    return StorageFailed("the log was opened read-only", remedy="open it for writing")
