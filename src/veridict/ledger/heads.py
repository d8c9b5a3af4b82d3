"""The log's heads: signed checkpoints, their anchors on chains, and the state these give a record.

local → durable → checkpointed → [witnessed] → anchored → final
                       ↑______________________|        a reorganisation drops the anchor
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from veridict.core.errors import EvidenceError, NotFound
from veridict.core.nouns import Anchor, RecordState
from veridict.core.ports import Clock
from veridict.ledger.store import Reads, Store
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import Cosigner
from veridict.proofs.note import Signature, Signer
from veridict.proofs.tlog_policy import Policy

# The last final block of a chain, by chain id; None or absent while none is known.
FinalBlocks = Mapping[int, int] | Callable[[int], int | None]

# In the order of core.nouns.Anchor.
_ANCHOR = (
    "chain_id", "contract", "log_id", "size",
    "root", "time_s", "tx_hash", "block_number", "block_hash",
)  # fmt: skip
_LOOKED_AT = 64  # heads that may have been cosigned by others meanwhile


class Heads:
    """Checkpoints and anchors of one log; `root_of(size)` is the tree's."""

    def __init__(self, store: Store, root_of: Callable[[int], bytes]) -> None:
        self._store = store
        self._root_of = root_of
        self.policy: Policy | None = None
        self._witnessed = 0

    def sign(self, signer: Signer, clock: Clock, also: Cosigner | None = None) -> SignedCheckpoint:
        """Signs and stores the durable head, or returns the last one if that is this very head.

        `also` is the log's second key, ML-DSA-44, whose signature a new head then bears as well.

        A log must never sign two heads of which neither extends the other
        (c2sp.org/tlog-checkpoint). Raises EvidenceError ("log.forked") rather than do so.
        """
        if (last := self._is_signed(self._store, signer)) is not None:
            return last
        with self._store.transaction() as tx:  # under the lock: another writer may sign as well
            if (last := self._is_signed(tx, signer)) is not None:
                return last
            size = tx.tree_size()
            head = Checkpoint(signer.name, size, self._root_of(size))
            signed = SignedCheckpoint.sign(head, signer)
            if also is not None:
                signed = signed.with_signatures([also.sign(head.body(), clock() // 1000)])
            # the row number orders checkpoints, not the time
            tx.execute(
                "INSERT INTO checkpoint (size, time_ms, note) VALUES (?, ?, ?)",
                (size, clock(), signed.text),
            )
            return signed

    def _is_signed(self, source: Reads, signer: Signer) -> SignedCheckpoint | None:
        """The last checkpoint, where it is of the tree as it stands. Raises EvidenceError."""
        last, size = _last(source), source.tree_size()
        if last is None:
            return None
        self._check_extends(last, size)
        mine = any(map(signer.verifier.matches, last.note.signatures))
        return last if last.size == size and mine else None

    def _check_extends(self, last: SignedCheckpoint, size: int) -> None:
        if last.size > size or self._root_of(last.size) != last.root:
            raise EvidenceError(
                f"the log of {size} records does not extend its own checkpoint of {last.size}",
                remedy="put back a complete backup; sign nothing until the audit is clean",
                finding="log.forked",
                size=size,
                signed_size=last.size,
            )

    def put_cosignatures(
        self, head: SignedCheckpoint, added: Sequence[Signature]
    ) -> SignedCheckpoint:
        """Adds verified cosignatures to the stored head with this text, the first of each key.

        Raises NotFound where the log never signed it.
        """
        with self._store.transaction() as tx:
            row = tx.one(
                "SELECT id, note FROM checkpoint WHERE size = ? ORDER BY id DESC LIMIT 1",
                (head.size,),
            )
            stored = SignedCheckpoint(row[1]) if row else None
            if row is None or stored is None or stored.note.text != head.note.text:
                raise NotFound(
                    f"this log signed no such checkpoint of {head.size} records",
                    remedy="cosign a checkpoint that the log itself handed out",
                )
            keys = {(mark.name, mark.key_id) for mark in stored.note.signatures}
            whole = stored.with_signatures([m for m in added if (m.name, m.key_id) not in keys])
            tx.execute("UPDATE checkpoint SET note = ? WHERE id = ?", (whole.text, row[0]))
        if self.policy is not None and self.policy.satisfied(whole):
            self._witnessed = max(self._witnessed, whole.size)
        return whole

    def expect_witnesses(self, policy: Policy | None) -> None:
        """From now on a record is witnessed once a head over it satisfies `policy`."""
        self.policy, self._witnessed = policy, 0
        self._witnessed = self._satisfied(reversed(self.checkpoint_texts()))

    def _satisfied(self, newest_first: Iterable[str]) -> int:
        """Size of the newest of these heads that satisfies the policy; 0 where none does."""
        for text in newest_first:
            if text.count("\n— ") < 2:  # the log's own signature alone: not worth parsing
                continue
            head = SignedCheckpoint(text)
            if self.policy is not None and self.policy.satisfied(head):
                return head.size
        return 0

    def witnessed(self) -> int | None:
        """Number of records under a head that satisfies the policy; None without a policy."""
        if self.policy is None:
            return None
        if self._store.shared:  # other writers ask witnesses too
            heads = self._store.rows(
                "SELECT note FROM checkpoint WHERE size > ? ORDER BY id DESC LIMIT ?",
                (self._witnessed, _LOOKED_AT),
            )
            self._witnessed = max(self._witnessed, self._satisfied(row[0] for row in heads))
        return self._witnessed

    def last(self) -> SignedCheckpoint | None:
        return _last(self._store)

    def checkpoints(self) -> list[SignedCheckpoint]:
        """All, in the order in which they were signed. Raises EvidenceError for a damaged one."""
        return [SignedCheckpoint(text) for text in self.checkpoint_texts()]

    def checkpoint_texts(self) -> list[str]:
        """As stored, for an audit that names what does not parse."""
        return [row[0] for row in self._store.rows("SELECT note FROM checkpoint ORDER BY id")]

    def put_anchor(self, anchor: Anchor) -> None:
        """Stores `anchor`; one of the same chain, contract, log and size is replaced."""
        values = [
            anchor.chain_id, anchor.contract, anchor.log_id, anchor.size, anchor.root,
            anchor.time_s, anchor.tx_hash, anchor.block_number, anchor.block_hash,
        ]  # fmt: skip
        with self._store.transaction() as tx:
            tx.put("anchor", _ANCHOR[:4], _ANCHOR[4:], values)

    def drop_anchor(self, anchor: Anchor) -> bool:
        """Forgets an anchor whose block left the chain; False where it was not stored (any more).

        One that was mined again meanwhile, in another block, is another anchor and stays.
        """
        with self._store.transaction() as tx:
            dropped = tx.execute(
                "DELETE FROM anchor WHERE chain_id = ? AND contract = ? AND log_id = ?"
                " AND size = ? AND tx_hash = ? AND block_hash = ?",
                (
                    anchor.chain_id, anchor.contract, anchor.log_id,
                    anchor.size, anchor.tx_hash, anchor.block_hash,
                ),
            )  # fmt: skip
            return dropped > 0

    def anchors(self) -> list[Anchor]:
        """All that stand, smallest tree first."""
        columns = ", ".join(_ANCHOR)
        rows = self._store.rows(f"SELECT {columns} FROM anchor ORDER BY size, chain_id, contract")
        return [Anchor(*row) for row in rows]

    def anchors_of(
        self, chain_id: int, contract: str, log_id: bytes, *, above: int = 0
    ) -> list[Anchor]:
        """Those on one chain that cover more than `above` records, smallest tree first."""
        rows = self._store.rows(
            f"SELECT {', '.join(_ANCHOR)} FROM anchor"
            " WHERE chain_id = ? AND contract = ? AND log_id = ? AND size > ? ORDER BY size",
            (chain_id, contract, log_id, above),
        )
        return [Anchor(*row) for row in rows]

    def covered(self, index: int) -> dict[int, int]:
        """The first block of each chain (by its id) that holds an anchor over record `index`."""
        rows = self._store.rows(
            "SELECT chain_id, min(block_number) FROM anchor WHERE size > ? GROUP BY chain_id",
            (index,),
        )
        return {row[0]: row[1] for row in rows}

    def state(self, index: int, final_blocks: FinalBlocks) -> RecordState:
        """The state of a durable record: FINAL as soon as one chain will not take it back."""
        last_final = final_blocks if callable(final_blocks) else final_blocks.get
        blocks = self.covered(index)
        for chain_id, block_number in blocks.items():
            final = last_final(chain_id)
            if final is not None and block_number <= final:
                return RecordState.FINAL
        return RecordState.ANCHORED if blocks else self.signed_state(index)

    def signed_state(self, index: int) -> RecordState:
        """How far a durable record has come without any chain."""
        if index < (self.witnessed() or 0):
            return RecordState.WITNESSED
        row = self._store.one("SELECT 1 FROM checkpoint WHERE size > ? LIMIT 1", (index,))
        return RecordState.CHECKPOINTED if row else RecordState.DURABLE


def _last(source: Reads) -> SignedCheckpoint | None:
    row = source.one("SELECT note FROM checkpoint ORDER BY id DESC LIMIT 1")
    return SignedCheckpoint(row[0]) if row else None
