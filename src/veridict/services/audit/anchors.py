"""Check 3: the chain holds roots of these same records, in order, and the log's notes say so."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import Anchor
from veridict.services.anchoring import chain_anchors, log_id, log_key
from veridict.services.audit.source import Source
from veridict.services.audit.tree import Tree
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.deploy import Network


class Anchors:
    title = "the roots on chain are roots of these records"

    def __init__(self, log: Source, network: Network | None, operator: str) -> None:
        self._network = network
        self._size = log.size
        self._noted = log.anchors()
        self._on_chain: list[Anchor] = []
        if network is not None:
            self._noted = [a for a in self._noted if a.chain_id == network.addresses.chain_id]
            identity = log_id(operator, log_key(log.verifier.vkey))
            self._on_chain = chain_anchors(network, identity)
        self._tree: Tree | None = None

    @property
    def on_chain(self) -> Sequence[Anchor]:
        """What the chain itself says, oldest first."""
        return self._on_chain

    def sizes(self) -> set[int]:
        return {anchor.size for anchor in (*self._on_chain, *self._noted)}

    def under(self, tree: Tree) -> Anchors:
        self._tree = tree
        return self

    def see(self, rows: Sequence[Row]) -> None:
        """Anchors are compared with the tree, once it has seen every row."""

    def verdict(self) -> Verdict:
        assert self._tree is not None, "under(tree) comes first"
        if self._network is None:
            return self._notes_alone(self._tree)
        notes, held, by_size = Notes(), 0, {}
        for anchor in self._on_chain:
            notes.examined += 1
            by_size[anchor.size] = anchor
            where = f"anchor {anchor.size} in block {anchor.block_number}"
            root = self._tree.roots.get(anchor.size)
            if not self._network.anchor.call(
                "check", anchor.log_id, anchor.size, anchor.root, anchor.time_s
            ):
                notes.wrong("anchor.unheld", where, "held by the contract", "only an event")
            elif root is None:
                notes.wrong("log.truncated", where, f"{anchor.size} records", f"{self._size}")
            elif root != anchor.root:
                span = f"records {held}..{anchor.size - 1} ({where})"
                notes.wrong("anchor.root-differs", span, anchor.root.hex(), root.hex())
            else:
                held = anchor.size
        for noted in self._noted:
            held_on_chain = by_size.pop(noted.size, None)
            where = f"the log's note of anchor {noted.size}"
            if held_on_chain is None:
                notes.wrong("anchor.unknown", where, "an anchor on chain", "none of that size")
            elif (held_on_chain.root, held_on_chain.time_s) != (noted.root, noted.time_s):
                notes.wrong("anchor.altered", where, _told(held_on_chain), _told(noted))
        for missing in by_size.values():
            where = f"anchor {missing.size} in block {missing.block_number}"
            notes.wrong("anchor.unnoted", where, "a note in the log's store", "none")
        return notes.verdict()

    def _notes_alone(self, tree: Tree) -> Verdict:
        """Without a chain: what the keeper says was anchored must at least be of these records."""
        notes = Notes()
        for noted in self._noted:
            notes.examined += 1
            root, where = tree.roots.get(noted.size), f"the log's note of anchor {noted.size}"
            if root is None:
                notes.wrong("log.truncated", where, f"{noted.size} records", f"{self._size}")
            elif root != noted.root:
                notes.wrong("anchor.root-differs", where, noted.root.hex(), root.hex())
        return notes.verdict()


def _told(anchor: Anchor) -> str:
    return f"{anchor.root.hex()} at {anchor.time_s}"
