"""The payments around a case as a graph: its group of cases, and the ring it may close.

cases    every payment of the case's group, up to LINKED of them
ring     the shortest way of payments that leads from the payee back to the payer, found in the
         log whether or not they were suspicious, at most RING long and AROUND_DAYS apart
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from veridict.ledger.lookup import Query
from veridict.services.cases.facts import Facts, facts_of
from veridict.services.cases.known import Known
from veridict.services.node import Node
from veridict.services.records import is_prediction

LINKED = 40  # cases in one graph: more cannot be read
RING = 10  # payments in a ring
FROM_ONE = 24  # payments of one account that are followed, the newest
ASKED = 150  # accounts whose payments are looked up
AROUND_DAYS = 30
_DAY_S = 86_400


@dataclass(slots=True)
class Edge:
    """All payments from one account to another that the graph shows."""

    payer: str
    payee: str
    payments: list[int] = field(default_factory=list)  # log indexes
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Graph:
    """`ring` are the accounts of a ring in the order of its payments, the case's payer first.

    `left_out`: cases of the group that are not shown.
    """

    accounts: tuple[str, ...]
    edges: tuple[Edge, ...]
    ring: tuple[str, ...]
    left_out: int


def graph_of(node: Node, known: Known, index: int) -> Graph:
    """Around case `index`; without accounts where its payload was erased."""
    facts = known.facts(index)
    if facts is None:
        return Graph((), (), (), 0)
    edges: dict[tuple[str, str], Edge] = {}
    nearest = _nearest(known, index)
    for case in nearest:
        about = known.facts(case)
        if about is not None and about.payee:
            _add(edges, about, case)
    ring = _ring(node, facts, index)
    for at, about in ring:
        _add(edges, about, at)
    accounts = dict.fromkeys((*facts.accounts, *(a for pair in edges for a in pair)))
    return Graph(
        tuple(accounts),
        tuple(edges.values()),
        tuple(about.payer for _, about in ring),
        len(known.group(index)) - len(nearest),
    )


def _nearest(known: Known, index: int) -> list[int]:
    """The cases of the group by how few ties lead to them, at most LINKED."""
    seen = {index: None}
    waiting = deque([index])
    while waiting and len(seen) < LINKED:
        for tie in known.ties(waiting.popleft()):
            for other in known.sharing(tie):
                if other not in seen and len(seen) < LINKED:
                    seen[other] = None
                    waiting.append(other)
    return list(seen)


def _add(edges: dict[tuple[str, str], Edge], facts: Facts, index: int) -> None:
    edge = edges.setdefault((facts.payer, facts.payee), Edge(facts.payer, facts.payee))
    if index not in edge.payments:
        edge.payments.append(index)
        edge.amount_minor += facts.amount_minor or 0


def _ring(node: Node, facts: Facts, index: int) -> list[tuple[int, Facts]]:
    """The payments of the shortest ring through the case's own, itself first; [] if there is none.

    Breadth first from the payee along the log's payments, so the first way back is the shortest.
    """
    if not facts.payee or facts.payee == facts.payer:
        return []
    came: dict[str, tuple[int, Facts] | None] = {facts.payee: None}
    waiting = deque([(facts.payee, 1)])
    asked = 0
    while waiting and asked < ASKED:
        account, length = waiting.popleft()
        if length == RING:
            continue
        asked += 1
        for at, about in _paid_by(node, account, facts.time_s):
            if about.payee in came or not about.payee:
                continue
            came[about.payee] = (at, about)
            if about.payee == facts.payer:
                return [(index, facts), *_way(came, facts.payer)]
            waiting.append((about.payee, length + 1))
    return []


def _way(came: dict[str, tuple[int, Facts] | None], to: str) -> list[tuple[int, Facts]]:
    way = []
    step = came[to]
    while step is not None:
        way.append(step)
        step = came[step[1].payer]
    return way[::-1]


def _paid_by(node: Node, account: str, time_s: int) -> Iterator[tuple[int, Facts]]:
    """Payments by `account` in the log, the newest, within AROUND_DAYS of `time_s`."""
    for index in node.log.find(Query(subject=account), most=FROM_ONE, newest=True):
        payload = node.log.payload(index)
        if payload is None or not is_prediction(node.log.body(index)):
            continue
        facts = facts_of(payload.request)
        if facts.payer == account and abs(facts.time_s - time_s) <= AROUND_DAYS * _DAY_S:
            yield index, facts
