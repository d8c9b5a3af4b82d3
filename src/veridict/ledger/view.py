"""What can be read and proved of a log, by its writer or by anyone beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from veridict.core.errors import BadInput, EvidenceError, NotFound
from veridict.core.nouns import Anchor, Payload, RecordState
from veridict.core.ports import Vault
from veridict.ledger.boxes import Boxes
from veridict.ledger.heads import FinalBlocks, Heads
from veridict.ledger.lookup import Lookups, Query
from veridict.ledger.payloads import decode_payload, inputs_of
from veridict.ledger.store import Store
from veridict.ledger.tiles import Tile, TileNodes
from veridict.ledger.where import store_of
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Verifier
from veridict.proofs.prover import consistency_proof, inclusion_proof, range_root
from veridict.proofs.tlog_policy import Policy

# One statement, so that a writer beside us cannot come between the two counts.
_SURPLUS = """
SELECT idx FROM record WHERE idx < 0 OR idx >= coalesce(
  (SELECT n * 256 + length(hashes) / 32 FROM tile WHERE level = 0 ORDER BY n DESC LIMIT 1), 0)
"""


class LogView:
    """The reading half of `log.Log`; thread-safe."""

    path: Path
    verifier: Verifier

    def __init__(
        self,
        directory: Path,
        *,
        writable: bool,
        store: str | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.path = directory
        self._vault = vault
        self._store: Store = store_of(directory, store, writable=writable)
        self._nodes = TileNodes(self._store.tile)
        self._seen = 0  # the log was so long once, and does not shrink
        self._heads = Heads(self._store, lambda size: range_root(0, size, self._nodes))
        self._boxes = Boxes(self._store, vault)
        self._lookups = Lookups(directory, self._store, self._boxes, vault)

    # -- read --------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of durable records."""
        return self._store.tree_size()

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
        data = self._boxes.one(index)
        return None if data is None else decode_payload(data)

    def payloads(self, start: int = 0, stop: int | None = None) -> Iterator[Payload | None]:
        """One item a record, None where there is no payload. Raises EvidenceError."""
        stop = self._stop(start, stop)
        for index, data in self._boxes.scan(start, stop):
            for _ in range(start, index):
                yield None
            start = index + 1
            yield decode_payload(data)
        for _ in range(start, stop):
            yield None

    def stored_payloads(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) of the payloads that are there, opened and not decoded.

        An audit judges them itself: b"" is one that cannot be opened.
        """
        yield from self._boxes.scan(start, self._stop(start, stop))

    def withheld(self, start: int, stop: int) -> tuple[int, ...]:
        """Records of whose payloads nothing is told: none, where the log itself is read."""
        return ()

    def last_slot(self) -> int | None:
        """Under which key of the vault the newest payload is sealed; None where there is none."""
        row = self._store.one("SELECT slot FROM payload ORDER BY idx DESC LIMIT 1")
        return None if row is None else int(row[0])

    def find(
        self,
        query: Query,
        start: int = 0,
        stop: int | None = None,
        *,
        most: int = 100,
        newest: bool = False,
        scan: bool = False,
    ) -> list[int]:
        """Up to `most` of the records start .. stop - 1 that fit, in order or newest first.

        `scan` searches the log itself instead of asking its index.
        """
        look = self._lookups.scan if scan else self._lookups.find
        return look(query, start, self._stop(start, stop), most=most, newest=newest)

    def find_request(self, request_id: str) -> int | None:
        """Index of the first record of this request, checked against its payload."""
        return self._lookups.first(request_id, self.size)

    def find_requests(self, request_ids: Sequence[str]) -> list[int | None]:
        """`find_request` of each, at once."""
        return self._lookups.first_of_each(request_ids, self.size)

    def shown(self, indices: Sequence[int]) -> list[tuple[bytes, bytes]]:
        """(body, inputs) of those of up to 1000 records that have a payload, in order.

        For what is shown to people: damaged payloads are left to the audit.
        """
        payloads = self._boxes.some(indices)
        marks = ", ".join("?" * len(indices))
        sql = f"SELECT idx, body FROM record WHERE idx IN ({marks}) ORDER BY idx"
        rows = self._store.rows(sql, tuple(indices))
        return [(body, inputs_of(data)) for at, body in rows if (data := payloads.get(at))]

    # -- prove -------------------------------------------------------------------------------

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` records, of all by default. Raises BadInput beyond the log."""
        return range_root(0, self._tree(size), self._nodes)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """For proofs.merkle.verify_inclusion. Raises BadInput unless index < size <= log.size."""
        return inclusion_proof(index, self._tree(size), self._nodes, self._nodes.siblings)

    def consistency_proof(self, size1: int, size2: int | None = None) -> list[bytes]:
        """For proofs.merkle.verify_consistency. Raises BadInput unless 0 < size1 <= size2."""
        return consistency_proof(size1, self._tree(size2), self._nodes)

    def leaf(self, index: int) -> bytes:
        """The leaf hash in the tree, which an audit compares with the body's."""
        self._check_index(index)
        return self._nodes.leaves(index, index + 1)[0]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Leaf hashes start .. stop - 1 as the tiles keep them. Raises BadInput beyond the log."""
        return self._nodes.leaves(start, self._stop(start, stop))

    def tile(self, level: int, n: int) -> Tile | None:
        """One tile as stored (c2sp.org/tlog-tiles), partial ones as they are now."""
        return self._store.tile(level, n)

    # -- heads -------------------------------------------------------------------------------

    def checkpoints(self) -> list[SignedCheckpoint]:
        """All, in the order of signing. Raises EvidenceError where one does not parse."""
        return self._heads.checkpoints()

    def checkpoint_texts(self) -> list[str]:
        """All as stored, for an audit that names what does not parse."""
        return self._heads.checkpoint_texts()

    def last_checkpoint(self) -> SignedCheckpoint | None:
        return self._heads.last()

    def expect_witnesses(self, policy: Policy | None) -> None:
        """Judge by `policy` which records are witnessed; without one, none is."""
        self._heads.expect_witnesses(policy)

    @property
    def policy(self) -> Policy | None:
        """By which it is judged what is witnessed; None without."""
        return self._heads.policy

    def witnessed(self) -> int | None:
        """How many records a checkpoint covers that the policy's quorum cosigned; None without."""
        return self._heads.witnessed()

    def anchors(self) -> list[Anchor]:
        """Those that stand, smallest tree first."""
        return self._heads.anchors()

    def anchors_of(
        self, chain_id: int, contract: str, log_id: bytes, *, above: int = 0
    ) -> list[Anchor]:
        """Those on one chain that cover more than `above` records, smallest tree first."""
        return self._heads.anchors_of(chain_id, contract, log_id, above=above)

    def covered(self, index: int) -> dict[int, int]:
        """The first block of each chain (by its id) that holds an anchor over record `index`."""
        return self._heads.covered(index)

    def state(self, index: int, final_blocks: FinalBlocks | None = None) -> RecordState:
        """How far record `index` has come; `final_blocks` gives each chain's last final block."""
        self._check_index(index)
        return self._heads.state(index, final_blocks or {})

    def signed_state(self, index: int) -> RecordState:
        """How far a durable record has come without any chain: at the most, witnessed."""
        self._check_index(index)
        return self._heads.signed_state(index)

    # -- meta --------------------------------------------------------------------------------

    def meta_get(self, key: str) -> bytes | None:
        row = self._store.one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    # -- checks ------------------------------------------------------------------------------

    def _tree(self, size: int | None) -> int:
        if size is not None and 0 <= size <= self._seen:
            return size
        whole = self._seen = self.size
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


def _missing(index: int) -> EvidenceError:
    return EvidenceError(
        f"record {index} is gone from the log",
        remedy="put back a backup; the tree still proves what it was",
        finding="record.missing",
        index=index,
    )
