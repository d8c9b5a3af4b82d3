"""The log's heads: signed checkpoints, their anchors on chains, and the state these give a record.

local → durable → checkpointed → [witnessed] → anchored → final
                       ↑______________________|        a reorganisation drops the anchor
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from veridict.core.errors import EvidenceError, NotFound
from veridict.core.nouns import Anchor, RecordState
from veridict.core.ports import Clock
from veridict.ledger.store import Store
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


class Heads:
    """Checkpoints and anchors of one log; `root_of(size)` is the tree's."""

    def __init__(self, store: Store, root_of: Callable[[int], bytes]) -> None:
        self._store = store
        self._root_of = root_of
        self._signing = Lock()
        self.policy: Policy | None = None
        self._witnessed = 0

    def sign(
        self, size: int, signer: Signer, clock: Clock, also: Cosigner | None = None
    ) -> SignedCheckpoint:
        """Signs and stores the head at `size`, or returns it if the last one is that very head.

        `also` is the log's second key, ML-DSA-44, whose signature a new head then bears as well.

        A log must never sign two heads of which neither extends the other
        (c2sp.org/tlog-checkpoint). Raises EvidenceError ("log.forked") rather than do so.
        """
        with self._signing:
            last = self.last()
            if last is not None:
                self._check_extends(last, size)
                if last.size == size and any(map(signer.verifier.matches, last.note.signatures)):
                    return last
            head = Checkpoint(signer.name, size, self._root_of(size))
            signed = SignedCheckpoint.sign(head, signer)
            if also is not None:
                signed = signed.with_signatures([also.sign(head.body(), clock() // 1000)])
            with self._store.transaction() as tx:
                # the row number orders checkpoints: a clock may go back
                tx.execute(
                    "INSERT INTO checkpoint (size, time_ms, note) VALUES (?, ?, ?)",
                    (size, clock(), signed.text),
                )
            return signed

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
        found = 0
        if policy is not None:
            for text in reversed(self.checkpoint_texts()):
                if text.count("\n— ") < 2:  # the log's own signature alone: not worth parsing
                    continue
                if policy.satisfied(head := SignedCheckpoint(text)):
                    found = head.size
                    break
        self.policy, self._witnessed = policy, found

    def witnessed(self) -> int | None:
        """Number of records under a head that satisfies the policy; None without a policy."""
        return None if self.policy is None else self._witnessed

    def last(self) -> SignedCheckpoint | None:
        row = self._store.one("SELECT note FROM checkpoint ORDER BY id DESC LIMIT 1")
        return SignedCheckpoint(row[0]) if row else None

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
        return {chain_id: block_number for chain_id, block_number in rows}

    def state(self, index: int, final_blocks: FinalBlocks) -> RecordState:
        """The state of a durable record: FINAL as soon as one chain will not take it back."""
        last_final = final_blocks if callable(final_blocks) else final_blocks.get
        blocks = self.covered(index)
        for chain_id, block_number in blocks.items():
            final = last_final(chain_id)
            if final is not None and block_number <= final:
                return RecordState.FINAL
        if blocks:
            return RecordState.ANCHORED
        if index < self._witnessed:
            return RecordState.WITNESSED
        row = self._store.one("SELECT 1 FROM checkpoint WHERE size > ? LIMIT 1", (index,))
        return RecordState.CHECKPOINTED if row else RecordState.DURABLE
