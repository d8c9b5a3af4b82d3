"""One payment against the habits of its payer and payee, and against cases confirmed so far.

Compiled; the arithmetic is that of `kernel`, and square roots: the same bits everywhere.
A habit is a mean that every payment moves, by 1/n at first and by SLOW later; an amount beyond
CAP times the habit moves it as CAP times would, so that a thief does not become the habit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from veridict.watch.arrays import F64, I64
from veridict.watch.features.kernel import DAY_S, NEVER, age, compiled, decay, ratio
from veridict.watch.features.records import Rows, Shelf, find, take

HOUR_S = 3600
SLOW, CAP, SETTLED = 0.01, 3.0, 5.0
PARTS = 8  # of a day
PART_S = DAY_S // PARTS
LABEL_DAYS = (1, 7, 30)
FEATURES, RISK_FEATURES = 18, 13
MONTH_S, WEEK_S = 30 * DAY_S, 7 * DAY_S

# What is remembered of one side of an account.
SIDE = np.dtype(
    [
        ("last_s", np.int64),
        ("n", np.float64),
        ("mean", np.float64),
        ("spread", np.float64),  # mean square distance from the mean
        ("gap", np.float64),  # usual seconds between payments
        ("hour", np.float64, 2),  # count and sum, half-life an hour
        ("unusual", np.float64, 2),  # payments beyond 2 and 3 times the habit, half-life 7 days
        ("peak", np.float64),  # the largest multiple of the habit, fading as fast
        ("parts", np.float64, PARTS),  # payments by part of the day, half-life 30 days
        ("known_s", np.int64),  # of what follows: when the last checked payment was made
        ("checked", np.float64, 3),
        ("bad", np.float64, 3),
        ("plain", np.float64, 3),  # bad ones whose amount was usual for their payer
        ("bad_s", np.int64),
        ("good_s", np.int64),
        ("streak", np.float64),  # bad ones since the last good one
        ("streak_plain", np.float64),
        ("streak_s", np.int64),  # when the streak began
    ]
)
BLANK = np.zeros(1, SIDE)
for _name in ("last_s", "known_s", "bad_s", "good_s", "streak_s"):
    BLANK[_name] = NEVER

# A label that waits for its time.
WAITING = np.dtype(
    [
        ("known_s", np.int64),
        ("paid_s", np.int64),
        ("payer", np.int64),
        ("payee", np.int64),
        ("amount", np.float64),
        ("label", np.int64),
    ]
)


class State(NamedTuple):
    """Payers and payees apart: who is both has two records."""

    payers: Shelf
    payer: Rows
    payees: Shelf
    payee: Rows
    blank: Rows
    queue: Rows  # a ring


@compiled
def row_of(shelf: Shelf, rows: Rows, blank: Rows, key: int) -> int:
    row, fresh = take(shelf, key)
    if fresh:
        rows[row] = blank[0]
    return row


@compiled
def multiple(side: Rows, row: int, amount: float) -> float:
    """The amount in units of the habit; 1 while there is none."""
    mean = side[row].mean
    return amount / mean if side[row].n >= SETTLED and mean > 0.0 else 1.0


@compiled
def describe_side(rows: Rows, row: int, now_s: int, amount: float, x: F64) -> None:
    """x: float64[4]."""
    side = rows[row]
    x[0] = ratio(amount, side.mean) if side.n > 0.0 else np.nan
    deviation = np.sqrt(side.spread) if side.n >= 2.0 else 0.0
    x[1] = (amount - side.mean) / deviation if deviation > 0.0 else np.nan
    left = decay(side.last_s, now_s, HOUR_S)
    x[2] = side.hour[0] * left
    x[3] = side.hour[1] * left


@compiled
def describe(state: State, payer: int, payee: int, now_s: int, amount: float, x: F64) -> None:
    """x: float64[FEATURES]. Changes nothing."""
    describe_side(state.payer, payer, now_s, amount, x[0:4])
    describe_side(state.payee, payee, now_s, amount, x[4:8])
    side = state.payer[payer]
    x[8] = side.mean if side.n > 0.0 else np.nan
    x[9] = np.sqrt(side.spread) if side.n >= 2.0 else np.nan
    x[10] = side.n
    week = decay(side.last_s, now_s, WEEK_S)
    x[11] = side.unusual[0] * week
    x[12] = side.unusual[1] * week
    x[13] = side.peak * week
    x[14] = (now_s - side.last_s) / side.gap if side.gap > 0.0 else np.nan
    total = 0.0
    for p in range(PARTS):
        total += side.parts[p]
    x[15] = ratio(side.parts[(now_s % DAY_S) // PART_S], total)
    x[16] = state.payee[payee].n
    x[17] = float((now_s // DAY_S + 3) % 7)  # 1 January 1970 was a Thursday


@compiled
def describe_risk(state: State, payer: int, payee: int, now_s: int, delay_s: int, x: F64) -> None:
    """x: float64[RISK_FEATURES]. Cases fade from the day that can be known by now."""
    side = state.payee[payee]
    known_s = max(now_s - delay_s, side.known_s)
    day = decay(side.known_s, known_s, DAY_S)
    x[0] = side.bad[0] * day
    x[1] = ratio(side.bad[0], side.checked[0])
    for w in range(3):
        x[2 + w] = side.plain[w] * decay(side.known_s, known_s, LABEL_DAYS[w] * DAY_S)
    x[5] = age(side.bad_s, now_s)
    x[6] = age(side.good_s, now_s)
    x[7] = side.streak
    x[8] = side.streak_plain
    x[9] = age(side.streak_s, now_s)
    other = state.payer[payer]
    x[10] = age(other.bad_s, now_s)
    month = decay(other.known_s, max(now_s - delay_s, other.known_s), MONTH_S)
    x[11] = other.plain[2] * month
    x[12] = (other.bad[2] - other.plain[2]) * month


@compiled
def count(rows: Rows, row: int, now_s: int, amount: float) -> None:
    """Let the payment count from now on."""
    side = rows[row]
    times = multiple(rows, row, amount)
    week, hour = decay(side.last_s, now_s, WEEK_S), decay(side.last_s, now_s, HOUR_S)
    month = decay(side.last_s, now_s, MONTH_S)
    for u in range(2):
        side.unusual[u] = side.unusual[u] * week + (1.0 if times > 2.0 + u else 0.0)
    side.peak = max(side.peak * week, times if times > 1.0 else 0.0)
    side.hour[0] = side.hour[0] * hour + 1.0
    side.hour[1] = side.hour[1] * hour + amount
    for p in range(PARTS):
        side.parts[p] *= month
    side.parts[(now_s % DAY_S) // PART_S] += 1.0
    weight = max(1.0 / (side.n + 1.0), SLOW)
    if side.last_s != NEVER:
        gap = float(now_s - side.last_s)
        side.gap += max(1.0 / side.n, SLOW) * (gap - side.gap)
    usual = amount if side.n < SETTLED else min(amount, CAP * side.mean)
    away = usual - side.mean
    side.mean += weight * away
    side.spread = (1.0 - weight) * (side.spread + weight * away * away)
    side.n += 1.0
    side.last_s = now_s


@compiled
def learn_side(rows: Rows, row: int, paid_s: int, bad: float, plain: float) -> None:
    """Labels mostly come in the order of their payments; one that does not weighs as an old one."""
    side = rows[row]
    in_order = paid_s >= side.known_s
    for w in range(3):
        half_life_s = LABEL_DAYS[w] * DAY_S
        left = decay(side.known_s, paid_s, half_life_s) if in_order else 1.0
        weight = 1.0 if in_order else decay(paid_s, side.known_s, half_life_s)
        side.checked[w] = side.checked[w] * left + weight
        side.bad[w] = side.bad[w] * left + weight * bad
        side.plain[w] = side.plain[w] * left + weight * plain
    if in_order:
        side.known_s = paid_s
    if bad > 0.0:
        if side.streak == 0.0:
            side.streak_s = paid_s
        side.streak += 1.0
        side.streak_plain += plain
        side.bad_s = max(side.bad_s, paid_s)
    else:
        side.streak = 0.0
        side.streak_plain = 0.0
        side.streak_s = NEVER
        side.good_s = max(side.good_s, paid_s)


@compiled
def learn(
    state: State, paid_s: int, payer_key: int, payee_key: int, amount: float, label: int
) -> None:
    """A label has become known. Accounts forgotten meanwhile stay so."""
    payer, payee = find(state.payers, payer_key), find(state.payees, payee_key)
    usual = multiple(state.payer, payer, amount) if payer >= 0 else 1.0
    bad = float(label)
    plain = bad if usual <= 2.0 else 0.0
    if payer >= 0:
        learn_side(state.payer, payer, paid_s, bad, plain)
    if payee >= 0:
        learn_side(state.payee, payee, paid_s, bad, plain)


@compiled
def run(
    state: State, start: int, stop: int, head: int, tail: int, delay_s: int,
    times_s: I64, payers: I64, payees: I64, amounts: F64, labels: I64, x: F64,
) -> tuple[int, int]:  # fmt: skip
    """Rows start..stop in order; delay_s < 0: labels are never used.

    Waiting labels are queue[head:tail], both counted on for ever. Returns the new head and tail.
    """
    room = len(state.queue)
    for i in range(start, stop):
        now_s, amount = times_s[i], amounts[i]
        while head < tail and state.queue[head % room].known_s <= now_s:
            w = state.queue[head % room]
            learn(state, w.paid_s, w.payer, w.payee, w.amount, w.label)
            head += 1
        payer = row_of(state.payers, state.payer, state.blank, payers[i])
        payee = row_of(state.payees, state.payee, state.blank, payees[i])
        describe(state, payer, payee, now_s, amount, x[i])
        if delay_s >= 0:
            describe_risk(state, payer, payee, now_s, delay_s, x[i, FEATURES:])
            if labels[i] >= 0:
                w = state.queue[tail % room]
                w.known_s = now_s + delay_s
                w.paid_s, w.payer, w.payee = now_s, payers[i], payees[i]
                w.amount, w.label = amount, labels[i]
                tail += 1
        count(state.payer, payer, now_s, amount)
        count(state.payee, payee, now_s, amount)
    return head, tail
