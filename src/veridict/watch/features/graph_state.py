"""The graph of payments within a window: what is held, and how a payment comes and goes.

    account  ends of its two lists of pairs, fans and degrees, hops to labels, funds and taint
    pair     payer and payee (rows of account), payments in the window, its place in both lists
    edge     a ring of the payments in the window, each pointing to the one of its pair before

A payment that leaves the window takes its counts with it, so fans and degrees are exact.
Compiled; as for all kernels in several files, touch `graph_kernel` when this one changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from veridict.watch.arrays import I64
from veridict.watch.features.kernel import EMPTY, NEVER, compiled
from veridict.watch.features.records import Rows, Shelf, take

OUT, IN = 0, 1
ACCOUNT = np.dtype(
    [
        ("first", np.int64, 2),  # newest pair as payer, as payee
        ("fan", np.int64, 2),
        ("degree", np.int64, 2),
        ("labelled", np.int64),
        ("hops_from", np.int64),  # from a labelled account, NEVER where there is no path
        ("hops_to", np.int64),
        ("received", np.float64),
        ("tainted", np.float64),
    ]
)
PAIR = np.dtype(
    [
        ("ends", np.int64, 2),  # payer, payee
        ("count", np.int64),
        ("last", np.int64),  # number of its latest edge
        ("newer", np.int64, 2),  # in the payer's list, in the payee's
        ("older", np.int64, 2),
    ]
)
EDGE = np.dtype([("time_s", np.int64), ("pair", np.int64), ("before", np.int64)])

BLANK_ACCOUNT, BLANK_PAIR = np.zeros(1, ACCOUNT), np.zeros(1, PAIR)
for _name in ("first", "hops_from", "hops_to"):
    BLANK_ACCOUNT[_name] = NEVER
for _name in ("ends", "last", "newer", "older"):
    BLANK_PAIR[_name] = EMPTY


class Graph(NamedTuple):
    """Edges head..tail are in the window; both are counted on for ever."""

    accounts: Shelf
    account: Rows
    pairs: Shelf
    pair: Rows
    edge: Rows
    head_tail: I64  # [2]
    labels: I64  # sorted keys of labelled accounts
    blanks: tuple[Rows, Rows]


@compiled
def account_of(g: Graph, key: int) -> int:
    """The account's row; a new one knows whether it is labelled."""
    row, fresh = take(g.accounts, key)
    if fresh:
        g.account[row] = g.blanks[0][0]
        at = np.searchsorted(g.labels, key)
        if at < len(g.labels) and g.labels[at] == key:
            g.account[row].labelled = 1
            g.account[row].hops_from = 0
            g.account[row].hops_to = 0
    return row


@compiled
def pair_key(payer_key: int, payee_key: int) -> int:
    """Both keys in one; odd constants of SplitMix64 keep a→b apart from b→a."""
    mixed = np.uint64(payer_key) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    mixed += np.uint64(payee_key)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(29)
    key: int = np.int64(mixed)  # type: ignore[assignment]
    return key


@compiled
def link(g: Graph, pair: int, side: int) -> None:
    """Put the pair first in the list of its payer (OUT) or payee (IN)."""
    owner = g.pair[pair].ends[side]
    first = g.account[owner].first[side]
    g.pair[pair].newer[side] = EMPTY
    g.pair[pair].older[side] = first
    if first != EMPTY:
        g.pair[first].newer[side] = pair
    g.account[owner].first[side] = pair
    g.account[owner].fan[side] += 1


@compiled
def unlink(g: Graph, pair: int, side: int) -> None:
    owner = g.pair[pair].ends[side]
    newer, older = g.pair[pair].newer[side], g.pair[pair].older[side]
    if newer == EMPTY:
        g.account[owner].first[side] = older
    else:
        g.pair[newer].older[side] = older
    if older != EMPTY:
        g.pair[older].newer[side] = newer
    g.account[owner].fan[side] -= 1


@compiled
def let_go(g: Graph) -> None:
    """The oldest payment leaves the window."""
    edge = g.edge[g.head_tail[0] % len(g.edge)]
    pair = edge.pair
    g.pair[pair].count -= 1
    for side in range(2):
        g.account[g.pair[pair].ends[side]].degree[side] -= 1
        if g.pair[pair].count == 0:
            unlink(g, pair, side)
    g.head_tail[0] += 1


@compiled
def expire(g: Graph, before_s: int) -> None:
    while g.head_tail[0] < g.head_tail[1]:
        if g.edge[g.head_tail[0] % len(g.edge)].time_s >= before_s:
            break
        let_go(g)


@compiled
def add(g: Graph, payer: int, payee: int, key: int, now_s: int) -> None:
    """The payment counts from now on. Where the ring is full, the oldest makes room."""
    if g.head_tail[1] - g.head_tail[0] == len(g.edge):
        let_go(g)
    pair, fresh = take(g.pairs, key)
    if fresh:
        g.pair[pair] = g.blanks[1][0]
    if g.pair[pair].count == 0:
        g.pair[pair].ends[OUT] = payer
        g.pair[pair].ends[IN] = payee
        g.pair[pair].last = EMPTY
        link(g, pair, OUT)
        link(g, pair, IN)
    number = g.head_tail[1]
    edge = g.edge[number % len(g.edge)]
    edge.time_s = now_s
    edge.pair = pair
    edge.before = g.pair[pair].last
    g.pair[pair].last = number
    g.pair[pair].count += 1
    g.account[payer].degree[OUT] += 1
    g.account[payee].degree[IN] += 1
    g.head_tail[1] += 1
