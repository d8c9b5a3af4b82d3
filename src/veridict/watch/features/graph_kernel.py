"""One payment's place in the graph of payments before it. Compiled."""

from __future__ import annotations

import numpy as np

from veridict.watch.arrays import F64, I64
from veridict.watch.features.graph_search import (
    MAX_LENGTH,
    Scratch,
    cycles,
    scatter_gathers,
)
from veridict.watch.features.graph_state import (
    IN,
    OUT,
    Graph,
    account_of,
    add,
    expire,
    pair_key,
)
from veridict.watch.features.kernel import EMPTY, NEVER, compiled
from veridict.watch.features.records import find

FEATURES = 24
SG_BINS = 6  # sizes 2, 3, 4, 5 and more; 0 and 1 stay empty
MAX_HOPS = 10
PATTERNS_AT, LABELS_AT = 8, 18


@compiled
def describe_fans(g: Graph, payer: int, payee: int, key: int, x: F64) -> None:
    """x: float64[8]. With this payment counted in."""
    pair = find(g.pairs, key)
    new = 1.0 if pair == EMPTY or g.pair[pair].count == 0 else 0.0
    for side in range(2):
        for who in range(2):
            account = g.account[payer if who == 0 else payee]
            own = 1.0 if side == who and payer != payee else 0.0
            x[4 * who + side] = account.fan[side] + own * new
            x[4 * who + 2 + side] = account.degree[side] + own


@compiled
def describe_patterns(
    g: Graph, s: Scratch, payer: int, payee: int, in_order: bool, longest: int, budget: int, x: F64
) -> None:
    """x: float64[10]: cycles of 2, 3, 4, 5, 6–10; the shortest; scatter-gathers of 2, 3, 4+.

    Last the number of searches that were cut.
    """
    x[:] = 0.0
    x[5] = np.nan
    if payer == payee:
        return
    found = np.zeros(MAX_LENGTH + 1, np.int64)
    left = cycles(g, s, payer, payee, in_order, longest, budget, found)
    for length in range(MAX_LENGTH, 1, -1):
        if found[length] > 0:
            x[min(length, 6) - 2] += found[length]
            x[5] = length
    sizes = np.zeros(SG_BINS, np.int64)
    rest = scatter_gathers(g, s, payer, payee, budget, sizes)
    x[6], x[7], x[8] = sizes[2], sizes[3], sizes[4] + sizes[5]
    x[9] = (1.0 if left < 0 else 0.0) + (1.0 if rest < 0 else 0.0)


@compiled
def describe_labels(g: Graph, payer: int, payee: int, x: F64) -> None:
    """x: float64[6]."""
    a, b = g.account[payer], g.account[payee]
    x[0] = np.nan if a.hops_from == NEVER else a.hops_from
    x[1] = np.nan if b.hops_from == NEVER else b.hops_from
    x[2] = np.nan if a.hops_to == NEVER else a.hops_to
    x[3] = np.nan if b.hops_to == NEVER else b.hops_to
    x[4] = taint(g, payer)
    x[5] = taint(g, payee)


@compiled
def taint(g: Graph, account: int) -> float:
    """The share of what the account received that came from labelled accounts; theirs is 1."""
    a = g.account[account]
    if a.labelled:
        return 1.0
    return a.tainted / a.received if a.received > 0.0 else 0.0


@compiled
def carry(g: Graph, s: Scratch, payer: int, payee: int, amount: float) -> None:
    """Let hops and taint flow with the payment."""
    a, b = g.account[payer], g.account[payee]
    tainted = amount * taint(g, payer)
    b.received += amount
    b.tainted += tainted
    hops = a.hops_from + 1
    if 0 < hops <= MAX_HOPS and (b.hops_from == NEVER or b.hops_from > hops):
        b.hops_from = hops
    if b.hops_to == NEVER or b.hops_to >= MAX_HOPS:
        return
    if a.hops_to != NEVER and a.hops_to <= b.hops_to + 1:
        return
    a.hops_to = b.hops_to + 1
    s.queue[0, 0] = payer
    at, end = 0, 1
    while at < end:  # and to those who paid the payer before
        account = s.queue[at, 0]
        at += 1
        hops = g.account[account].hops_to + 1
        pair = g.account[account].first[IN]
        while pair != EMPTY and hops <= MAX_HOPS and end < len(s.queue):
            other = g.pair[pair].ends[OUT]
            known = g.account[other].hops_to
            if known == NEVER or known > hops:
                g.account[other].hops_to = hops
                s.queue[end, 0] = other
                end += 1
            pair = g.pair[pair].older[IN]


@compiled
def run(
    g: Graph, s: Scratch, start: int, stop: int, window_s: int, in_order: bool, longest: int,
    budget: int, times_s: I64, payers: I64, payees: I64, amounts: F64, x: F64,
) -> None:  # fmt: skip
    """Rows start..stop in order; the tables have room for them."""
    for i in range(start, stop):
        now_s = times_s[i]
        expire(g, now_s - window_s)
        payer, payee = account_of(g, payers[i]), account_of(g, payees[i])
        key = pair_key(payers[i], payees[i])
        describe_fans(g, payer, payee, key, x[i, :PATTERNS_AT])
        patterns = x[i, PATTERNS_AT:LABELS_AT]
        describe_patterns(g, s, payer, payee, in_order, longest, budget, patterns)
        describe_labels(g, payer, payee, x[i, LABELS_AT:])
        if payer != payee:
            carry(g, s, payer, payee, amounts[i])
            add(g, payer, payee, key, now_s)
