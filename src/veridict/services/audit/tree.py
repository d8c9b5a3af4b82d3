"""Checks 1 and 2: the bodies replayed give the leaves, and the leaves the signed roots.

A body that was altered or dropped is named by its index (its leaf hash still
stands in the tiles), and the tree then goes on over the stored leaf, so that
one lie is one finding. Where body and leaf were altered together, the root of
every later checkpoint differs and the span in which it happened is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from veridict.core.errors import EvidenceError, VeridictError
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import CompactRange, leaf_hash
from veridict.services.audit.source import Source
from veridict.services.audit.walk import Notes, Row, Verdict


class Tree:
    """The tree of the rows seen so far, and its root at every size somebody vouched for."""

    def __init__(self, log: Source, wanted: set[int]) -> None:
        self._range = CompactRange()
        self._wanted = wanted | {point.size for point in _readable(log)}
        self.roots: dict[int, bytes] = {0: self._range.root()}

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._range.append(row.leaf if row.leaf is not None else leaf_hash(row.body or b""))
            if row.index + 1 in self._wanted:
                self.roots[row.index + 1] = self._range.root()


class Records:
    title = "every record is there and unaltered"

    def __init__(self, log: Source) -> None:
        self._notes = Notes()
        for index in log.surplus():
            self._notes.wrong("record.surplus", f"record {index}", "nothing", "a record")

    def see(self, rows: Sequence[Row]) -> None:
        self._notes.examined += len(rows)
        for row in rows:
            where = f"record {row.index}"
            if row.body is None:
                self._notes.wrong("record.dropped", where, "a record", "nothing")
            elif row.leaf is None or leaf_hash(row.body) != row.leaf:
                wanted = row.leaf.hex() if row.leaf else "a leaf hash"
                self._notes.wrong("record.altered", where, wanted, leaf_hash(row.body).hex())
            elif row.record is None:
                self._notes.wrong("record.unreadable", where, "a canonical record", "other bytes")

    def verdict(self) -> Verdict:
        return self._notes.verdict()


class Checkpoints:
    title = "every signed checkpoint is the root of these records"

    def __init__(self, log: Source, tree: Tree) -> None:
        self._texts = log.checkpoint_texts()
        self._verifier = log.verifier
        self._policy = log.policy
        self._size = log.size
        self._tree = tree

    def see(self, rows: Sequence[Row]) -> None:
        """Checkpoints are compared with the tree, once it has seen every row."""

    def verdict(self) -> Verdict:
        notes, held, previous = Notes(), 0, 0
        for number, text in enumerate(self._texts):
            notes.examined += 1
            where = f"checkpoint {number}"
            try:
                signed = SignedCheckpoint(text).verify(self._verifier, self._verifier.name)
            except VeridictError as problem:
                other = problem.facts.get("finding") == "checkpoint.origin"
                code = "checkpoint.origin" if other else "checkpoint.signature"
                notes.wrong(code, where, "the log key's signature", problem.message)
                continue
            self._cosignatures(text, where, notes)
            if signed.size < previous:
                least = f"at least {previous} records"
                notes.wrong("checkpoint.rolled-back", where, least, str(signed.size))
            previous = max(previous, signed.size)
            root = self._tree.roots.get(signed.size)
            if root is None:
                notes.wrong("log.truncated", where, f"{signed.size} records", f"{self._size}")
            elif root != signed.root:
                span = f"records {held}..{signed.size - 1} ({where})"
                notes.wrong("log.rewritten", span, signed.root.hex(), root.hex())
            else:
                held = signed.size
        return notes.verdict()

    def _cosignatures(self, text: str, where: str, notes: Notes) -> None:
        """Those of witnesses whose keys are known; a quorum that is not reached is no lie."""
        if self._policy is None:
            return
        try:
            self._policy.cosigners(SignedCheckpoint(text))
        except EvidenceError as problem:
            expected = "what the witness cosigned"
            notes.wrong("checkpoint.cosignature", where, expected, problem.message)


def _readable(log: Source) -> Iterator[SignedCheckpoint]:
    for text in log.checkpoint_texts():
        with suppress(EvidenceError):  # `Checkpoints` names it
            yield SignedCheckpoint(text)
