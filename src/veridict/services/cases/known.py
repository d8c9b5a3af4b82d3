"""What is known of cases from their payloads: whom they are about, how much is at stake, what
ties them together. Kept in memory alone and read from the log again at need, so that it is gone
when a subject is erased, and never on a disk of its own.

Two cases belong together where they share an account, a device or another thing that payments
name; all that hang together so, through any number of others, are one group. What more than
HUB cases share, such as a large shop, ties nobody together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from threading import RLock

from veridict.core.nouns import Decision
from veridict.services.board import probability
from veridict.services.cases.book import Case
from veridict.services.cases.facts import Facts, facts_of
from veridict.services.node import Node

HUB = 50
ACCOUNT = "account"

Tie = tuple[str, str]  # what it is, and which: ("account", "A17")


class Known:
    """Of one node. Thread-safe, and never in the way of who predicts."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = RLock()
        self._erasures = 0
        self._facts: dict[int, Facts | None] = {}
        self._by_tie: dict[Tie, list[int]] = defaultdict(list)
        self._groups: dict[int, list[int]] | None = None

    def facts(self, index: int) -> Facts | None:
        """Of case `index`; None where its payload was erased."""
        with self._lock:
            self._catch_up()
            return self._facts.get(index)

    def expected_loss(self, case: Case) -> int | None:
        """What would be lost if it were let go: probability times amount, in minor units."""
        facts = self.facts(case.index)
        if facts is None or facts.amount_minor is None:
            return None
        return round(probability(case.record.score) * facts.amount_minor)

    def ties(self, index: int) -> list[Tie]:
        """By what case `index` is tied to others."""
        with self._lock:
            return [tie for tie in _ties(self.facts(index)) if 1 < len(self._by_tie[tie]) <= HUB]

    def sharing(self, tie: Tie) -> list[int]:
        """The cases that share it, by index."""
        with self._lock:
            self._catch_up()
            return list(self._by_tie.get(tie, ()))

    def group(self, index: int) -> list[int]:
        """All cases that hang together with `index`, itself among them, by index."""
        with self._lock:
            self._catch_up()
            if self._groups is None:
                self._groups = self._joined()
            return self._groups.get(index, [index])

    def ranked(self, cases: list[Case]) -> list[Case]:
        """The largest expected loss first; where equal holds before reviews, then the newest."""

        def rank(case: Case) -> tuple[int, Decision, int]:
            return (self.expected_loss(case) or 0, case.decision, case.index)

        return sorted(cases, key=rank, reverse=True)

    def _catch_up(self) -> None:
        board = self._node.board
        if len(board.erasures) != self._erasures:  # what is erased must not be known here
            self._erasures = len(board.erasures)
            self._facts.clear()
            self._by_tie.clear()
        if len(self._facts) == len(board.cases):
            return
        for index in [at for at in list(board.cases) if at not in self._facts]:
            payload = self._node.log.payload(index)
            facts = None if payload is None else facts_of(payload.request)
            self._facts[index] = facts
            for tie in _ties(facts):
                self._by_tie[tie].append(index)
        self._groups = None

    def _joined(self) -> dict[int, list[int]]:
        """Connected components: each tie joins the cases that share it."""
        parent = {index: index for index in self._facts}

        def root(index: int) -> int:
            while parent[index] != index:
                parent[index] = parent[parent[index]]
                index = parent[index]
            return index

        for sharing in self._by_tie.values():
            if len(sharing) <= HUB:
                for other in sharing[1:]:
                    parent[root(other)] = root(sharing[0])
        groups: dict[int, list[int]] = defaultdict(list)
        for index in sorted(parent):
            groups[root(index)].append(index)
        return {index: members for members in groups.values() for index in members}


def _ties(facts: Facts | None) -> Iterator[Tie]:
    if facts is not None:
        yield from ((ACCOUNT, account) for account in facts.accounts)
        yield from facts.links
