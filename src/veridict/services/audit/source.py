"""What an audit reads: a node's own log and models, or what a pack holds of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from veridict.core.nouns import Anchor
from veridict.proofs.note import Verifier
from veridict.proofs.tlog_policy import Policy


class Source(Protocol):
    """A log as it lies somewhere, damaged or not: `ledger.view.LogView`, or a pack's."""

    @property
    def size(self) -> int:
        """Number of records."""

    @property
    def verifier(self) -> Verifier:
        """The key under which the log is kept."""

    @property
    def policy(self) -> Policy | None:
        """The witnesses whose cosignatures are checked."""

    def records(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, body) of those that are there."""

    def stored_payloads(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) of those that are there."""

    def withheld(self, start: int, stop: int) -> Collection[int]:
        """Those whose payloads are not shown, be they there or not: none in a node's log."""

    def leaves(self, start: int, stop: int) -> Sequence[bytes]:
        """Leaf hashes as the tree keeps them. Raises StorageFailed where a tile is gone."""

    def leaf(self, index: int) -> bytes:
        """As `leaves`, of one."""

    def surplus(self) -> list[int]:
        """Indexes of records outside the tree."""

    def checkpoint_texts(self) -> list[str]:
        """All signed heads, in the order of signing, as stored."""

    def anchors(self) -> list[Anchor]:
        """The keeper's notes of heads on chains, smallest tree first."""


class Copies(Protocol):
    """The keeper's copies of models, as they are: `models.shelf.Shelf`, or a pack's."""

    def get(self, model_id: bytes) -> bytes | None:
        """Canonical bytes."""

    def annex(self, model_id: bytes) -> bytes | None: ...
