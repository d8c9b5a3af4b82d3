"""The payment graph, slow and readable: every pattern found by trying every way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.payment_reference import NAN

Edge = tuple[int, str, str]  # time, payer, payee; its number is its place
MAX_HOPS = 10


@dataclass
class GraphReference:
    window_s: int
    ordered: bool
    longest: int
    labelled: frozenset[str]
    edges: list[Edge] = field(default_factory=list)
    received: dict[str, float] = field(default_factory=dict)
    tainted: dict[str, float] = field(default_factory=dict)
    hops_from: dict[str, int] = field(default_factory=dict)
    hops_to: dict[str, int] = field(default_factory=dict)
    live: list[tuple[int, str, str]] = field(default_factory=list)  # number, payer, payee

    def __post_init__(self) -> None:
        self.hops_from |= dict.fromkeys(self.labelled, 0)
        self.hops_to |= dict.fromkeys(self.labelled, 0)

    def row(self, now_s: int, payer: str, payee: str, minor: int) -> list[float]:
        self.live = [
            (n, a, b) for n, (t, a, b) in enumerate(self.edges) if t >= now_s - self.window_s
        ]
        x = [*self._fans(payer, payee), *self._patterns(payer, payee), *self._labels(payer, payee)]
        if payer != payee:
            self._carry(payer, payee, minor / 100)
            self.edges.append((now_s, payer, payee))
        return x

    def _fans(self, payer: str, payee: str) -> Iterator[float]:
        pairs = [(a, b) for _, a, b in self.live]
        if payer != payee:
            pairs.append((payer, payee))
        for who in (payer, payee):
            paid = [b for a, b in pairs if a == who]
            paid_by = [a for a, b in pairs if b == who]
            yield from map(float, (len(set(paid)), len(set(paid_by)), len(paid), len(paid_by)))

    def _patterns(self, payer: str, payee: str) -> list[float]:
        if payer == payee:
            return [0.0] * 5 + [NAN] + [0.0] * 4
        lengths = [len(way) for way in self._ways(payee, payer)]
        counts = [float(sum(n == k for n in lengths)) for k in (2, 3, 4, 5)]
        longer = float(sum(n > 5 for n in lengths))
        sizes = list(self._scatter_gathers(payer, payee))
        two, three = (float(sizes.count(k)) for k in (2, 3))
        shortest = float(min(lengths)) if lengths else NAN
        return [*counts, longer, shortest, two, three, float(len(sizes)) - two - three, 0.0]

    def _ways(self, start: str, end: str) -> set[tuple[str, ...]]:
        """Account sequences from start to end, each account once, money moving on in order."""
        found: set[tuple[str, ...]] = set()

        def go_on(way: tuple[str, ...], after: int) -> None:
            if len(way) > self.longest:
                return
            if way[-1] == end:
                found.add(way)
                return
            for number, a, b in self.live:
                if a == way[-1] and b not in way and (number > after or not self.ordered):
                    go_on((*way, b), number)

        go_on((start,), -1)
        return found

    def _scatter_gathers(self, payer: str, payee: str) -> Iterator[int]:
        pairs = {(a, b) for _, a, b in self.live}
        for source in {a for a, b in pairs if b == payer} - {payee}:
            others = {m for a, m in pairs if a == source and (m, payee) in pairs} - {payer}
            if others:
                yield 1 + len(others)
        for target in {b for a, b in pairs if a == payee} - {payer}:
            others = {m for m, b in pairs if b == target and (payer, m) in pairs} - {payee}
            if others:
                yield 1 + len(others)

    def _taint(self, account: str) -> float:
        if account in self.labelled:
            return 1.0
        received = self.received.get(account, 0.0)
        return self.tainted[account] / received if received > 0 else 0.0

    def _labels(self, payer: str, payee: str) -> list[float]:
        hops = [
            float(known[who]) if who in known else NAN
            for known in (self.hops_from, self.hops_to)
            for who in (payer, payee)
        ]
        return [*hops, self._taint(payer), self._taint(payee)]

    def _carry(self, payer: str, payee: str, amount: float) -> None:
        tainted = amount * self._taint(payer)
        self.received[payee] = self.received.get(payee, 0.0) + amount
        self.tainted[payee] = self.tainted.get(payee, 0.0) + tainted
        if self.hops_from.get(payer, MAX_HOPS) + 1 < self.hops_from.get(payee, MAX_HOPS + 1):
            self.hops_from[payee] = self.hops_from[payer] + 1
        reached = [(payer, self.hops_to.get(payee, MAX_HOPS) + 1)]
        while reached:
            account, hops = reached.pop(0)
            if hops < self.hops_to.get(account, MAX_HOPS + 1):
                self.hops_to[account] = hops
                reached += [(a, hops + 1) for _, a, b in self.live if b == account]
