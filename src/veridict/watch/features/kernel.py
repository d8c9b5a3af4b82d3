"""One payment's features from what came before it, and the state it leaves behind.

Compiled. Only + − × ÷ and comparisons of doubles, so the bits are the same on every
processor; a window is an exponential decay with a half-life, so that an update costs the
same whatever the window:

    value(t) = value(s) × 2^-(⌊64t/H⌋ − ⌊64s/H⌋)/64,  H the half-life

    ACCOUNTS  out, in   float64[A, SIDE]  decayed counts and sums over the half-lives, fan
              risk_*    float64[A, RISK]  decayed rows with a known label, and events of them
              flow      float64[A]        amount last received
              times     int64[A, 4]       last out, last in, last known label as payer, as payee
              near      int32[A, 2, NEAR] the last payees and the last payers
    PAIRS     key       int64[P]          payer << 32 | payee, EMPTY where free; open addressing
              when, last  int64[P], float64[P]  time and amount of the pair's last payment
              often     float64[P]        decayed count of its payments
    LABELS    queue     int64[Q, 5]       known from, payer, payee, label, paid at: waiting

Keep everything that is compiled in this file: the cache looks at this file's time only.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from veridict.watch.arrays import F64, I64

DAY_S = 86_400
HALF_LIVES_S = (DAY_S, 7 * DAY_S, 30 * DAY_S)
WEEK_S = 7 * DAY_S
WINDOW_S = 30 * DAY_S  # beyond it a pair is new again and a trail is cold
SIDE, RISK, NEAR = 7, 4, 4
EMPTY = -1
NEVER = -1
FEATURES, RISK_FEATURES = 26, 8

# 2^(-k/64), k = 0..63, correctly rounded: products of these are all the decay there is.
with localcontext(prec=40):
    STEPS = np.array([float(Decimal(2) ** (Decimal(-k) / 64)) for k in range(64)])
HALVES = np.array([2.0**-k for k in range(64)])

C = TypeVar("C", bound=Callable[..., Any])


def compiled(function: C) -> C:
    """numba.njit with IEEE arithmetic as written: no fast-math, no division checks."""
    return cast(C, numba.njit(cache=True, error_model="numpy")(function))


class State(NamedTuple):
    out: F64
    into: F64
    risk_payer: F64
    risk_payee: F64
    flow: F64
    times: I64
    near: NDArray[np.int32]
    key: I64
    when: I64
    last: F64
    often: F64
    queue: I64


@compiled
def decay(then_s: int, now_s: int, half_life_s: int) -> float:
    """What is left at `now_s` of 1.0 at `then_s`; 0.0 if `then_s` is NEVER."""
    if then_s < 0:
        return 0.0
    step = half_life_s // 64
    k = now_s // step - then_s // step
    if k >= 64 * 64:
        return 0.0
    return float(STEPS[k & 63] * HALVES[k >> 6])


@compiled
def slot_of(key: I64, wanted: int) -> int:
    """Where `wanted` is, or the free slot where it belongs."""
    mask = np.uint64(len(key) - 1)
    # Fibonacci hashing: 2^64 / golden ratio; the high bits are the good ones
    at = (np.uint64(wanted) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    at &= mask
    while key[at] != wanted and key[at] != EMPTY:
        at = (at + np.uint64(1)) & mask
    return int(at)


@compiled
def place(key: I64, wanted: I64, at: I64) -> None:
    """Put keys that are not there yet into the table; `at` receives their slots."""
    for i in range(len(wanted)):
        at[i] = slot_of(key, wanted[i])
        key[at[i]] = wanted[i]


@compiled
def age(then_s: int, now_s: int) -> float:
    """Days since `then_s`; NaN if NEVER."""
    return np.nan if then_s < 0 else (now_s - then_s) / DAY_S


@compiled
def ratio(a: float, b: float) -> float:
    return a / b if b > 0.0 else np.nan


@compiled
def fade(row: F64, then_s: int, now_s: int) -> None:
    """Bring one side of an account, float64[SIDE], to `now_s`."""
    for h in range(3):
        left = decay(then_s, now_s, HALF_LIVES_S[h])
        row[h] *= left
        row[3 + h] *= left
    row[6] *= decay(then_s, now_s, WINDOW_S)


@compiled
def fade_risk(row: F64, then_s: int, now_s: int) -> None:
    week = decay(then_s, now_s, HALF_LIVES_S[1])
    month = decay(then_s, now_s, HALF_LIVES_S[2])
    row[0] *= week
    row[1] *= week
    row[2] *= month
    row[3] *= month


@compiled
def learn_side(row: F64, known_s: int, paid_s: int, event: float) -> int:
    """Labels mostly come in the order of their payments; one that does not weighs as an old one.

    `known_s`: when the last payment was made whose label counts; returns it from now on.
    """
    week, month = 1.0, 1.0
    if paid_s >= known_s:
        fade_risk(row, known_s, paid_s)
    else:
        week, month = decay(paid_s, known_s, WEEK_S), decay(paid_s, known_s, WINDOW_S)
    row[0] += week
    row[1] += week * event
    row[2] += month
    row[3] += month * event
    return max(known_s, paid_s)


@compiled
def learn(state: State, head: int, tail: int, now_s: int) -> int:
    """Count the labels that have become known by `now_s`; returns the new head."""
    queue, times = state.queue, state.times
    while head < tail and queue[head, 0] <= now_s:
        event, paid_s = float(queue[head, 3]), queue[head, 4]
        payer, payee = queue[head, 1], queue[head, 2]
        times[payer, 2] = learn_side(state.risk_payer[payer], times[payer, 2], paid_s, event)
        times[payee, 3] = learn_side(state.risk_payee[payee], times[payee, 3], paid_s, event)
        head += 1
    return head


@compiled
def meet(state: State, payer: int, payee: int) -> float:
    """How many recent payees of `payee` recently paid `payer`: a circle closed in three hops."""
    found = 0.0
    for i in range(NEAR):
        middle = state.near[payee, 0, i]
        if middle == EMPTY:
            continue
        for j in range(NEAR):
            if state.near[payer, 1, j] == middle:
                found += 1.0
                break
    return found


@compiled
def remember(near: NDArray[np.int32], other: int) -> None:
    """Put `other` first; near: int32[NEAR], most recent first, without repetition."""
    at = NEAR - 1
    for i in range(NEAR):
        if near[i] == other:
            at = i
            break
    for i in range(at, 0, -1):
        near[i] = near[i - 1]
    near[0] = other


@compiled
def describe_side(row: F64, then_s: int, now_s: int, amount: float, x: F64) -> None:
    """x: float64[7]. One side of an account as it stands before the payment."""
    for h in range(3):
        x[h] = row[h] * decay(then_s, now_s, HALF_LIVES_S[h])
    x[3] = ratio(row[5], row[2])
    x[4] = ratio(amount, x[3])
    x[5] = age(then_s, now_s)
    x[6] = row[6] * decay(then_s, now_s, WINDOW_S)


@compiled
def describe(state: State, now_s: int, payer: int, payee: int, amount: float, x: F64) -> None:
    """Write what is known before the payment to x: float64[FEATURES]. Changes nothing else."""
    times = state.times
    x[0] = amount
    x[1] = (now_s % DAY_S) / 3600.0
    describe_side(state.out[payer], times[payer, 0], now_s, amount, x[2:9])
    describe_side(state.into[payee], times[payee, 1], now_s, amount, x[9:16])
    x[16] = state.into[payer, 2] * decay(times[payer, 1], now_s, WINDOW_S)
    x[17] = age(times[payer, 1], now_s)
    x[18] = ratio(amount, state.flow[payer])
    x[19] = state.out[payee, 2] * decay(times[payee, 0], now_s, WINDOW_S)
    x[20] = age(times[payee, 0], now_s)
    pair = slot_of(state.key, (payer << 32) | payee)
    if state.key[pair] == EMPTY:
        x[21], x[22], x[23] = np.nan, 0.0, np.nan
    else:
        x[21] = age(state.when[pair], now_s)
        x[22] = state.often[pair] * decay(state.when[pair], now_s, WINDOW_S)
        x[23] = ratio(amount, state.last[pair])
    back = slot_of(state.key, (payee << 32) | payer)
    x[24] = np.nan if state.key[back] == EMPTY else age(state.when[back], now_s)
    x[25] = meet(state, payer, payee)


@compiled
def describe_risk(row: F64, then_s: int, now_s: int, x: F64) -> None:
    """x: float64[4]. Events of an account known so far and their share, over 7 and 30 days."""
    for w in range(2):
        x[2 * w] = row[2 * w + 1] * decay(then_s, now_s, HALF_LIVES_S[1 + w])
        x[2 * w + 1] = ratio(row[2 * w + 1], row[2 * w])


@compiled
def count_side(row: F64, then_s: int, now_s: int, amount: float, new: bool) -> None:
    fade(row, then_s, now_s)
    for h in range(3):
        row[h] += 1.0
        row[3 + h] += amount
    if new:
        row[6] += 1.0


@compiled
def count(state: State, now_s: int, payer: int, payee: int, amount: float) -> int:
    """Let the payment count from now on. Returns 1 if the pair had no place yet."""
    key = (payer << 32) | payee
    pair = slot_of(state.key, key)
    known = state.key[pair] == key
    new = not known or now_s - state.when[pair] > WINDOW_S
    count_side(state.out[payer], state.times[payer, 0], now_s, amount, new)
    count_side(state.into[payee], state.times[payee, 1], now_s, amount, new)
    state.times[payer, 0] = now_s
    state.times[payee, 1] = now_s
    often = state.often[pair] * decay(state.when[pair], now_s, WINDOW_S) if known else 0.0
    state.key[pair] = key
    state.often[pair] = often + 1.0
    state.when[pair] = now_s
    state.last[pair] = amount
    state.flow[payee] = amount
    remember(state.near[payer, 0], payee)
    remember(state.near[payee, 1], payer)
    return 0 if known else 1


@compiled
def step(
    state: State, now_s: int, payer: int, payee: int, amount: float, x: F64, risk: bool
) -> int:
    """The payment's features into x, then let it count. Returns 1 if the pair is new."""
    describe(state, now_s, payer, payee, amount, x)
    if risk:
        times = state.times
        describe_risk(state.risk_payer[payer], times[payer, 2], now_s, x[FEATURES : FEATURES + 4])
        describe_risk(state.risk_payee[payee], times[payee, 3], now_s, x[FEATURES + 4 :])
    return count(state, now_s, payer, payee, amount)


@compiled
def run(
    state: State, start: int, stop: int, head: int, tail: int, delay_s: int, free_pairs: int,
    times_s: I64, payers: I64, payees: I64, amounts: F64, labels: I64, x: F64,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Rows start..stop in order, as long as a new pair has room.

    delay_s < 0: labels are never used. Returns the first row not done, head, tail, free pairs.
    """
    for i in range(start, stop):
        if free_pairs == 0:
            return i, head, tail, 0
        now_s = times_s[i]
        head = learn(state, head, tail, now_s)
        free_pairs -= step(state, now_s, payers[i], payees[i], amounts[i], x[i], delay_s >= 0)
        if delay_s >= 0 and labels[i] >= 0:
            state.queue[tail, 0] = now_s + delay_s
            state.queue[tail, 1] = payers[i]
            state.queue[tail, 2] = payees[i]
            state.queue[tail, 3] = labels[i]
            state.queue[tail, 4] = now_s
            tail += 1
    return stop, head, tail, free_pairs
