"""Cycles and scatter-gathers that one more payment closes. Compiled; changes nothing.

A cycle is counted once a sequence of accounts. `in_order`: each of its payments came later than
the one before it, so the money could have gone round. A search visits at most `budget` pairs.
"""

from __future__ import annotations

from typing import NamedTuple

from veridict.watch.arrays import I64
from veridict.watch.features.graph_state import IN, OUT, Graph
from veridict.watch.features.kernel import EMPTY, compiled

MAX_LENGTH = 10
# How far from the payee accounts are known when the way back is searched. In the order of time
# few can be reached at all, so all of them are.
REACH, REACH_IN_ORDER = 4, MAX_LENGTH


class Scratch(NamedTuple):
    """Room for searches; holds nothing between payments but ever rising stamps."""

    stamp: I64  # [accounts, 2]
    hops: I64  # [accounts]
    first: I64  # [accounts]
    queue: I64  # [budget, 2]  account, hops
    path: I64  # [MAX_LENGTH, 3]  account, next pair to try, bound on edge numbers
    clock: I64  # [1]


@compiled
def tick(s: Scratch) -> int:
    s.clock[0] += 1
    return int(s.clock[0])


@compiled
def first_after(g: Graph, pair: int, bound: int) -> int:
    """The number of the pair's first payment in the window numbered above `bound`, or EMPTY."""
    found = EMPTY
    number = g.pair[pair].last
    while number > bound and number >= g.head_tail[0]:
        found = number
        number = g.edge[number % len(g.edge)].before
    return int(found)


@compiled
def mark_near(
    g: Graph, s: Scratch, payee: int, in_order: bool, reach: int, budget: int
) -> tuple[int, bool, int]:
    """Stamp the accounts that money of `payee` can come to in `reach` hops.

    Each with its hops, and with the number of the payment it first comes by (0 unless in order).
    Returns the stamp, whether nobody lies beyond them, and the budget that is left: below zero
    if not all were visited.
    """
    stamp = tick(s)
    s.stamp[payee, 0] = stamp
    s.hops[payee] = 0
    s.first[payee] = EMPTY
    s.queue[0, 0], s.queue[0, 1] = payee, 0
    at, end, complete = 0, 1, True
    while at < end:
        account, hops = s.queue[at, 0], s.queue[at, 1]
        at += 1
        if hops == reach:
            complete = False
            break
        pair = g.account[account].first[OUT]
        while pair != EMPTY:
            budget -= 1
            if budget < 0 or end == len(s.queue):
                return stamp, False, -1
            other = g.pair[pair].ends[IN]
            number = first_after(g, pair, s.first[account]) if in_order else 0
            pair = g.pair[pair].older[OUT]
            if number == EMPTY:
                continue
            if s.stamp[other, 0] != stamp:
                s.stamp[other, 0] = stamp
                s.hops[other] = hops + 1
            elif s.first[other] <= number:
                continue
            s.first[other] = number
            s.queue[end, 0], s.queue[end, 1] = other, hops + 1
            end += 1
    return stamp, complete, budget


@compiled
def latest_before(g: Graph, pair: int, bound: int) -> int:
    """The number of the pair's latest payment numbered below `bound`, EMPTY if it has none."""
    number = g.pair[pair].last
    while number >= bound:
        number = g.edge[number % len(g.edge)].before
    return int(number) if number >= g.head_tail[0] else EMPTY


@compiled
def on_path(s: Scratch, depth: int, account: int) -> bool:
    for d in range(depth + 1):  # noqa: SIM110, a generator costs Numba a call
        if s.path[d, 0] == account:
            return True
    return False


@compiled
def cycles(
    g: Graph, s: Scratch, payer: int, payee: int, in_order: bool, longest: int, budget: int,
    found: I64,
) -> int:  # fmt: skip
    """Count the cycles that payer → payee closes; found: int64[MAX_LENGTH + 1], by length.

    Returns the budget that is left, below zero if the search was cut.
    """
    if g.account[payer].first[IN] == EMPTY or g.account[payee].first[OUT] == EMPTY:
        return budget
    reach = min(REACH_IN_ORDER if in_order else REACH, longest - 1)
    near, complete, budget = mark_near(g, s, payee, in_order, reach, budget)
    if budget < 0:
        return budget
    depth = 0
    s.path[0, 0] = payer
    s.path[0, 1] = g.account[payer].first[IN]
    s.path[0, 2] = g.head_tail[1]
    while depth >= 0:
        pair = s.path[depth, 1]
        if pair == EMPTY:
            depth -= 1
            continue
        s.path[depth, 1] = g.pair[pair].older[IN]
        budget -= 1
        if budget < 0:
            return budget
        other = g.pair[pair].ends[OUT]
        left = longest - 2 - depth  # hops that may still lie between the payee and `other`
        known = s.stamp[other, 0] == near
        if s.hops[other] > left if known else complete or left <= reach:
            continue
        number = latest_before(g, pair, s.path[depth, 2]) if in_order else g.pair[pair].last
        if number == EMPTY or (in_order and known and s.first[other] >= number):
            continue
        if other == payee:
            found[depth + 2] += 1
        elif left > 0 and not on_path(s, depth, other):
            depth += 1
            s.path[depth, 0] = other
            s.path[depth, 1] = g.account[other].first[IN]
            s.path[depth, 2] = number if in_order else g.head_tail[1]
    return budget


@compiled
def scatter_gathers(g: Graph, s: Scratch, payer: int, payee: int, budget: int, sizes: I64) -> int:
    """Count the scatter-gathers that payer → payee belongs to, by the ways between their ends.

    With `payer` in between: source → payer → payee, beside source → others → payee. With `payee`
    in between: payer → payee → target, beside payer → others → target. sizes: int64, the last
    entry takes what is larger. Returns the budget that is left, below zero if it was cut.
    """
    for side in range(2):
        back = 1 - side  # IN first: who paid the payer
        between, far = (payer, payee) if back == IN else (payee, payer)
        first = g.account[between].first[back]
        if first == EMPTY or g.account[far].first[back] == EMPTY:
            continue
        stamp = tick(s)
        pair = g.account[far].first[back]
        while pair != EMPTY and budget > 0:
            budget -= 1
            s.stamp[g.pair[pair].ends[side], 1] = stamp
            pair = g.pair[pair].older[back]
        pair = first
        while pair != EMPTY and budget > 0:
            budget -= 1
            other = g.pair[pair].ends[side]
            pair = g.pair[pair].older[back]
            if other == far:
                continue
            size = 1
            way = g.account[other].first[side]
            while way != EMPTY and budget > 0:
                budget -= 1
                middle = g.pair[way].ends[back]
                if s.stamp[middle, 1] == stamp and middle != between:
                    size += 1
                way = g.pair[way].older[side]
            if size >= 2:
                sizes[min(size, len(sizes) - 1)] += 1
    return budget if budget > 0 else -1
