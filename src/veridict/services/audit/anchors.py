"""Check 3: chains hold roots of these same records, in order, and the log's notes say so.

On each chain, in this order:

    the contract has stored as many anchors of this log as its events tell
    it vouches for each of them, and each is the root of these records
    each anchor is noted in the log's store, and each note is of an anchor
    what the log's own records say of anchors, last of each size, is so

What stands in blocks that the chain may still take back is not held against the keeper: a
note may be on its way, and an anchor may have been taken back a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from veridict.chain.finality import Finality
from veridict.core.errors import VeridictError
from veridict.core.nouns import Anchor
from veridict.services.anchoring.places import HOME, Head, Place, log_key
from veridict.services.anchoring.places import Elsewhere as Elsewhere
from veridict.services.audit.source import Source
from veridict.services.audit.tree import Tree
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.deploy import Network
from veridict.services.records import AnchorRecord, LostAnchorRecord

Claim = tuple[int, AnchorRecord | LostAnchorRecord]  # where it stands in the log


@dataclass(frozen=True, slots=True)
class Sight:
    """What one chain says of the log, oldest anchor first, read at one time."""

    place: Place
    head: Head
    anchors: tuple[Anchor, ...]
    newest_block: int
    final_block: int

    @classmethod
    def of(cls, place: Place) -> Sight:
        head = place.head()
        anchors = tuple(place.anchors())
        return cls(place, head, anchors, place.client.block_number(), place.final_block())

    def where(self, size: int, block_number: int) -> str:
        chain = "" if self.place.name == HOME else f" of {self.place.name}"
        return f"anchor {size} in block {block_number}{chain}"

    def is_open(self, block_number: int) -> bool:
        """May the chain still take this block back?"""
        return self.final_block < block_number <= self.newest_block


class Anchors:
    title = "the roots on chain are roots of these records"

    def __init__(
        self,
        log: Source,
        network: Network | None,
        operator: str,
        elsewhere: Sequence[Elsewhere] = (),
        since: int = 0,
        earlier: bool = False,
    ) -> None:
        """`since`: where the home chain's events are read from; the contract's count tells
        whether that was too late. `earlier`: the log is a copy of some time ago, and what was
        anchored since is not held against it."""
        self._size = log.size
        self._noted = log.anchors()
        self._has_chain = network is not None
        self._earlier = earlier
        self._notes = Notes()
        self._sights: list[Sight] = []
        self._claims: dict[tuple[int, str, int], Claim] = {}
        self._tree: Tree | None = None
        if network is not None:
            self._sights.append(Sight.of(seen_at(network, operator, log, since)))
        for other in elsewhere:
            self._look(other)

    @property
    def on_chain(self) -> Sequence[Anchor]:
        """What the home chain itself says, oldest first."""
        return self._sights[0].anchors if self._has_chain else ()

    def sizes(self) -> set[int]:
        seen = {anchor.size for sight in self._sights for anchor in sight.anchors}
        return seen | {noted.size for noted in self._noted}

    def under(self, tree: Tree) -> Anchors:
        self._tree = tree
        return self

    def see(self, rows: Sequence[Row]) -> None:
        """Keeps the last thing the log says of each anchor; the chains are asked at the end."""
        for row in rows:
            record = row.record
            if isinstance(record, AnchorRecord | LostAnchorRecord):
                self._claims[record.chain_id, record.contract, record.size] = row.index, record

    def verdict(self) -> Verdict:
        assert self._tree is not None, "under(tree) comes first"
        if not self._sights and not self._has_chain:
            return self._notes_alone(self._tree)
        for sight in self._sights:
            self._count(sight)
            self._roots(sight, self._tree)
            self._noted_on(sight)
            self._claimed_on(sight)
        return self._notes.verdict()

    def _look(self, other: Elsewhere) -> None:
        problem = other.problem
        if other.place is not None:
            try:
                self._sights.append(Sight.of(other.place))
                return
            except VeridictError as error:
                problem = error.message
        expected = "its anchors of this log"
        self._notes.wrong("anchor.unexamined", f"chain {other.name}", expected, problem)

    def _count(self, sight: Sight) -> None:
        told = sum(anchor.size <= sight.head.size for anchor in sight.anchors)
        if told != sight.head.count:
            where = f"the log's events on {sight.place.name}"
            expected = f"{sight.head.count} anchors, as the contract counts"
            self._notes.wrong("anchor.hidden", where, expected, f"{told}")

    def _roots(self, sight: Sight, tree: Tree) -> None:
        notes, held = self._notes, 0
        for anchor in self._judged(sight):
            notes.examined += 1
            where = sight.where(anchor.size, anchor.block_number)
            root = tree.roots.get(anchor.size)
            if not sight.place.holds(anchor):
                notes.wrong("anchor.unheld", where, "held by the contract", "only an event")
            elif root is None:
                notes.wrong("log.truncated", where, f"{anchor.size} records", f"{self._size}")
            elif root != anchor.root:
                span = f"records {held}..{anchor.size - 1} ({where})"
                notes.wrong("anchor.root-differs", span, anchor.root.hex(), root.hex())
            else:
                held = anchor.size

    def _judged(self, sight: Sight) -> list[Anchor]:
        return [a for a in sight.anchors if not self._earlier or a.size <= self._size]

    def _noted_on(self, sight: Sight) -> None:
        notes, unnoted = self._notes, {a.size: a for a in self._judged(sight)}
        for noted in self._noted:
            if noted.chain_id != sight.place.chain_id:
                continue
            on_chain = unnoted.pop(noted.size, None)
            where = f"the log's note of {sight.where(noted.size, noted.block_number)}"
            open_yet = sight.is_open(noted.block_number)
            if on_chain is None:
                if not open_yet:
                    notes.wrong("anchor.unknown", where, "an anchor on chain", "none of that size")
            elif _differs(on_chain, noted, open_yet):
                notes.wrong("anchor.altered", where, _told(on_chain), _told(noted))
        for missing in unnoted.values():
            if not sight.is_open(missing.block_number):
                where = sight.where(missing.size, missing.block_number)
                notes.wrong("anchor.unnoted", where, "a note in the log's store", "none")

    def _claimed_on(self, sight: Sight) -> None:
        """A record of an anchor is true, or a later record takes it back."""
        by_size = {anchor.size: anchor for anchor in sight.anchors}
        for index, record in self._claims_on(sight.place):
            if sight.is_open(record.block_number):
                continue
            found = by_size.get(record.size)
            said = f"root {record.root} in transaction {record.tx_hash}"
            true = f"root {found.root.hex()} in transaction {found.tx_hash}" if found else "none"
            if true != said:
                where = f"record {index}, which tells of an anchor of {record.size} records"
                self._notes.wrong("anchor.claimed", where, true, said)

    def _claims_on(self, place: Place) -> Iterator[tuple[int, AnchorRecord]]:
        for (chain_id, contract, _), (index, record) in self._claims.items():
            here = (chain_id, contract) == (place.chain_id, place.contract.address)
            if here and isinstance(record, AnchorRecord):
                yield index, record

    def _notes_alone(self, tree: Tree) -> Verdict:
        """Without a chain: what the keeper says was anchored must at least be of these records."""
        notes = self._notes
        for noted in self._noted:
            notes.examined += 1
            root, where = tree.roots.get(noted.size), f"the log's note of anchor {noted.size}"
            if root is None:
                notes.wrong("log.truncated", where, f"{noted.size} records", f"{self._size}")
            elif root != noted.root:
                notes.wrong("anchor.root-differs", where, noted.root.hex(), root.hex())
        return notes.verdict()


def seen_at(network: Network, operator: str, log: Source, since: int = 0) -> Place:
    """The home chain of `operator`'s log as a place, to read."""
    return Place(
        name=HOME,
        contract=network.anchor,
        operator=operator,
        key=log_key(log.verifier.vkey),
        chain_id=network.addresses.chain_id,
        genesis="",  # whoever made `network` has checked whose chain it is
        since=since,
        final_block=Finality(network.client),
    )


def _differs(on_chain: Anchor, noted: Anchor, open_yet: bool) -> bool:
    """One transaction has one root in any block; its time is settled when its block is."""
    if open_yet:
        return on_chain.tx_hash == noted.tx_hash and on_chain.root != noted.root
    return (on_chain.root, on_chain.time_s) != (noted.root, noted.time_s)


def _told(anchor: Anchor) -> str:
    return f"{anchor.root.hex()} at {anchor.time_s}"
