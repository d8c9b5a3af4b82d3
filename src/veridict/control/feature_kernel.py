"""The features' arithmetic, compiled: one block moves the state and yields one row.

The same function serves a million blocks of training and the one that came just now, so
that both give the same bits. All state is in arrays that the caller keeps:

    averages[7, K]   exponential averages of: log fee, gas, squared move, transactions,
                     log bid, gap, fullness; spans SPANS, in blocks
    lags[3, LAGS]    gas, transactions, log bid of the last blocks
    ring[R]          log fees of the last R blocks
    day[BINS]        how far the fee stands above its daily mean, by time of day
    seen[3]          blocks seen, time of the last, mean seconds between blocks
"""

from __future__ import annotations

import math

import numba
import numpy as np

from veridict.control.blocks import F64, I64

SPANS = np.array([3.0, 8.0, 20.0, 50.0, 120.0, 300.0, 800.0, 2_000.0, 7_200.0, 25_000.0])
LAGS, LOOKS, RANGES = 24, (5, 25, 75, 150, 300), (10, 40, 150, 600)
BINS = 288  # five minutes each
DAY_S, WEEK_S, HOUR_S = 86_400, 604_800, 3_600
DAY_RATE = 1 / 175.0  # about a week of 25 blocks a bin and day
FEE, GAS, MOVE, TXS, BID, GAP, FULL = range(7)
_N, _L, _R = len(SPANS), np.array(LOOKS), np.array(RANGES)
N_FEATURES = 105


@numba.njit(cache=True)
def advance(
    time_s: I64, fee: I64, next_fee: I64, gas: F64, n_tx: I64, bid: F64,
    averages: F64, lags: F64, ring: F64, day: F64, seen: F64, day_blocks: int, out: F64,
) -> None:  # fmt: skip
    """Rows float64[n, N_FEATURES] of n blocks; `gas` is used / target - 1."""
    size = len(ring)
    for row in range(len(time_s)):
        count = int(seen[0])
        log_fee = math.log(next_fee[row])
        move = log_fee - math.log(fee[row])
        txs = math.log(1.0 + n_tx[row])
        has_bid = bid[row] == bid[row]
        log_bid = math.log(1.0 + bid[row]) if has_bid else math.nan
        gap = (time_s[row] - seen[1]) / seen[2] - 1.0 if count else 0.0
        full = 1.0 if gas[row] > 0.98 else 0.0
        for k in range(_N):
            rate = max(2.0 / (SPANS[k] + 1.0), 1.0 / (count + 1.0))
            averages[FEE, k] += rate * (log_fee - averages[FEE, k])
            averages[GAS, k] += rate * (gas[row] - averages[GAS, k])
            averages[MOVE, k] += rate * (move * move - averages[MOVE, k])
            averages[TXS, k] += rate * (txs - averages[TXS, k])
            averages[GAP, k] += rate * (gap - averages[GAP, k])
            averages[FULL, k] += rate * (full - averages[FULL, k])
            if has_bid:
                averages[BID, k] += rate * (log_bid - averages[BID, k])
        for lag in range(LAGS - 1, 0, -1):
            for kind in range(3):
                lags[kind, lag] = lags[kind, lag - 1]
        lags[0, 0], lags[1, 0], lags[2, 0] = gas[row], txs, log_bid
        ring[count % size] = log_fee
        _write(out[row], time_s[row], log_fee, gap, averages, lags, ring, day, count, day_blocks)
        seen[0], seen[1] = count + 1, time_s[row]


@numba.njit(cache=True)
def _write(
    to: F64, time_s: int, log_fee: float, gap: float,
    averages: F64, lags: F64, ring: F64, day: F64, count: int, day_blocks: int,
) -> None:  # fmt: skip
    size, at = len(ring), 0
    for k in range(_N):
        to[at] = log_fee - averages[FEE, k]
        at += 1
    for k in range(_N - 2):
        to[at] = averages[GAS, k]
        at += 1
    for k in range(_N - 1):
        to[at] = math.log(averages[MOVE, k] + 1e-8)
        at += 1
    for k in range(5):
        to[at] = (
            lags[1, 0] - averages[TXS, k] if k == 0 else averages[TXS, k] - averages[TXS, k + 3]
        )
        to[at + 5] = (
            lags[2, 0] - averages[BID, 6] if k == 0 else averages[BID, k] - averages[BID, 8]
        )
        at += 1
    at += 5
    for k in (1, 3, 5):
        to[at] = averages[GAP, k]
        at += 1
    for k in range(1, 7):
        to[at] = averages[FULL, k]
        at += 1
    for lag in range(16):
        to[at] = lags[0, lag]
        at += 1
    for lag in range(6):
        to[at] = lags[1, lag] - averages[TXS, 5]
        to[at + 6] = lags[2, lag] - averages[BID, 5]
        at += 1
    at += 6
    for look in _L:
        before = count - look
        to[at] = ring[before % size] - log_fee if before >= 0 else math.nan
        then = count - day_blocks
        known = then >= 0
        to[at + 1] = ring[(then + look) % size] - ring[then % size] if known else math.nan
        at += 2
    for days in (1, 7):
        then = count - days * day_blocks
        to[at] = log_fee - ring[then % size] if then >= 0 else math.nan
        at += 1
    lowest, highest, back = log_fee, log_fee, 0
    for reach in _R:
        while back < min(reach, count + 1):
            value = ring[(count - back) % size]
            lowest, highest = min(lowest, value), max(highest, value)
            back += 1
        to[at], to[at + 1] = log_fee - lowest, highest - log_fee
        at += 2
    second = time_s % DAY_S
    to[at] = second / HOUR_S
    to[at + 1] = (time_s % HOUR_S) / 60.0
    to[at + 2] = (time_s % WEEK_S) / DAY_S
    to[at + 3] = gap
    to[at + 4] = averages[FEE, 8] - averages[FEE, 9]
    at += 5
    above, here = log_fee - averages[FEE, 8], second // 300
    day[here] += DAY_RATE * (above - day[here])
    for look in _L:
        then = (second + look * DAY_S // day_blocks) // 300
        change = 0.0
        for near in range(-3, 4):
            change += (day[(then + near) % BINS] - day[(here + near) % BINS]) / 7.0
        to[at] = change
        at += 1
    to[at] = above - day[here]
