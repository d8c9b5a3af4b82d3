"""The log's notes of one place's anchors, kept to what the chain says, whatever it took back."""

from __future__ import annotations

from veridict.core.errors import EvidenceError
from veridict.core.nouns import Anchor
from veridict.services.anchoring.journal import Journal
from veridict.services.anchoring.places import Head, Place


class PlaceNotes:
    """Holds in memory the last final note and those behind it; the log holds all."""

    def __init__(self, journal: Journal, place: Place) -> None:
        self._journal = journal
        self._place = place
        self._notes = journal.log.anchors_of(place.chain_id, place.contract.address, place.identity)

    @property
    def covered(self) -> int:
        """How many records the newest anchor covers."""
        return self._notes[-1].size if self._notes else 0

    def has(self, tx_hash: str) -> Anchor | None:
        """The anchor that this transaction made, if it is not long final."""
        return next((note for note in self._notes if note.tx_hash == tx_hash), None)

    def final(self, final_block: int) -> int:
        """How many records an anchor covers that the chain will not take back."""
        sizes = (note.size for note in self._notes if note.block_number <= final_block)
        return max(sizes, default=0)

    def settle(self, final_block: int) -> None:
        """Let go of notes before the last final one."""
        settled = [note for note in self._notes if note.block_number <= final_block]
        self._notes = [*settled[-1:], *self._notes[len(settled) :]]

    def reconcile(self, final_block: int) -> list[Anchor]:
        """Note what the chain has and strike what it took back; returns the latter, oldest first.

        Raises EvidenceError where the chain holds what this log never was, and
        RpcUnavailable where the node contradicts itself; then nothing was changed.
        """
        head = self._place.head()
        if self._agrees(head):
            return []
        self._reload()
        known, on_chain = self._read(head, final_block)
        self._check(on_chain)
        held = set(on_chain)
        lost = [note for note in known if note not in held]
        for note in lost:
            self._journal.strike(note)
        for anchor in on_chain:
            if anchor not in known:
                self._journal.note(anchor)
        self._notes = on_chain
        return lost

    def _reload(self) -> None:
        """What another process noted meanwhile that writes the same log."""
        place, first = self._place, self._notes[0].size if self._notes else 1
        contract, identity = place.contract.address, place.identity
        log = self._journal.log
        self._notes = log.anchors_of(place.chain_id, contract, identity, above=first - 1)

    def _agrees(self, head: Head) -> bool:
        """The newest note is the contract's head, in a block that still stands.

        Then so do all notes: they were read from one chain, of which that block is a part.
        """
        if not self._notes:
            return head.size == 0
        last = self._notes[-1]
        return (head.size, head.time_s) == (last.size, last.time_s) and self._place.is_canonical(
            last
        )

    def _read(self, head: Head, final_block: int) -> tuple[list[Anchor], list[Anchor]]:
        """The notes to compare and the chain's anchors: from the last final note on, or all."""
        settled = [note for note in self._notes if note.block_number <= final_block][-1:]
        on_chain = self._place.anchors(settled[0].block_number if settled else None)
        known = self._notes
        if settled and settled[0] not in on_chain:  # it took back what it had called final
            on_chain = self._place.anchors()
            place = self._place
            known = self._journal.log.anchors_of(
                place.chain_id, place.contract.address, place.identity
            )
        elif settled:
            on_chain = [anchor for anchor in on_chain if anchor.size >= settled[0].size]
            known = [note for note in known if note.size >= settled[0].size]
        if head.size and not any(
            (anchor.size, anchor.time_s) == (head.size, head.time_s) for anchor in on_chain
        ):
            raise self._place.contradicts(
                f"its contract holds an anchor of {head.size} records, its logs tell none"
            )
        return known, on_chain

    def _check(self, on_chain: list[Anchor]) -> None:
        """Every root on chain must be this log's, or it was rewritten or shrank."""
        log, name = self._journal.log, self._place.name
        for anchor in on_chain:
            if anchor.size > log.size:
                raise EvidenceError(
                    f"chain {name} holds an anchor of {anchor.size} records, "
                    f"this log has only {log.size}",
                    remedy="put back a complete backup; anchor nothing until the audit is clean",
                    finding="log.truncated",
                    place=name,
                    size=log.size,
                    anchored_size=anchor.size,
                )
            if log.root(anchor.size) != anchor.root:
                raise EvidenceError(
                    f"chain {name} holds another root of the first {anchor.size} records",
                    remedy="put back a complete backup; anchor nothing until the audit is clean",
                    finding="log.forked",
                    place=name,
                    anchored_size=anchor.size,
                )
