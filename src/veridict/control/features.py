"""What is known of the fee when a block has closed; nothing of what comes after it.

One extractor for training and for serving: blocks may come one by one or by the million.
Everything is relative (logarithms of ratios, deviations from averages), so that a model
says something about fees it has never seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from veridict.control.base_fee import MAINNET, FeeRule
from veridict.control.blocks import F64, BlockTable
from veridict.control.feature_kernel import (
    BINS,
    DAY_S,
    LAGS,
    LOOKS,
    N_FEATURES,
    RANGES,
    SPANS,
    advance,
)

_SPANS = tuple(int(span) for span in SPANS)
_PAIRS = tuple(zip(_SPANS, _SPANS[3:], strict=False))[1:5]


def _names() -> tuple[str, ...]:
    looks = [(f"log fee of {h} blocks ago", f"log fee after {h} blocks, a day ago") for h in LOOKS]
    ranges = [(f"above the lowest of {w}", f"below the highest of {w}") for w in RANGES]
    return (
        *(f"log fee above its average of {s}" for s in _SPANS),
        *(f"gas above target, average of {s}" for s in _SPANS[:-2]),
        *(f"log squared move, average of {s}" for s in _SPANS[:-1]),
        f"log transactions above their average of {_SPANS[0]}",
        *(f"log transactions, average of {s} over {t}" for s, t in _PAIRS),
        f"log bid above its average of {_SPANS[6]}",
        *(f"log bid, average of {s} over {_SPANS[8]}" for s in _SPANS[1:5]),
        *(f"missed slots, average of {_SPANS[k]}" for k in (1, 3, 5)),
        *(f"full blocks, average of {s}" for s in _SPANS[1:7]),
        *(f"gas above target, {lag} blocks ago" for lag in range(16)),
        *(f"log transactions, {lag} blocks ago" for lag in range(6)),
        *(f"log bid, {lag} blocks ago" for lag in range(6)),
        *(name for pair in looks for name in pair),
        "log fee above a day ago",
        "log fee above a week ago",
        *(name for pair in ranges for name in pair),
        "hour of day",
        "minute of hour",
        "day of week, from Thursday",
        "missed slots before this block",
        "log fee, average of a day over a few",
        *(f"usual change in {h} blocks at this time" for h in LOOKS),
        "log fee above what is usual at this time",
    )


NAMES = _names()
assert len(NAMES) == len(set(NAMES)) == N_FEATURES


@dataclass(slots=True)
class FeeFeatures:
    """State of one chain's past: about 0.4 MB on mainnet."""

    rule: FeeRule = MAINNET
    block_time_s: int = 12
    averages: F64 = field(init=False)
    lags: F64 = field(init=False)
    ring: F64 = field(init=False)
    day: F64 = field(init=False)
    seen: F64 = field(init=False)

    def __post_init__(self) -> None:
        self.averages = np.zeros((7, len(SPANS)))
        self.lags = np.full((3, LAGS), np.nan)
        self.ring = np.full(7 * self.day_blocks + LOOKS[-1] + 1, np.nan)
        self.day = np.zeros(BINS)
        self.seen = np.array([0.0, 0.0, float(self.block_time_s)])

    @property
    def day_blocks(self) -> int:
        return DAY_S // self.block_time_s

    def batch(self, rows: BlockTable) -> F64:
        """float64[n, N_FEATURES], row i of blocks 0..i; call once for every block, in order."""
        out = np.empty((len(rows), N_FEATURES))
        gas = rows.gas_used / (rows.gas_limit / self.rule.elasticity) - 1.0
        upcoming = self.rule.next_many(rows.base_fee_wei, rows.gas_used, rows.gas_limit)
        advance(
            rows.time_s, rows.base_fee_wei, upcoming, gas, rows.n_tx, rows.bid_gwei,
            self.averages, self.lags, self.ring, self.day, self.seen, self.day_blocks, out,
        )  # fmt: skip
        return out

    def copy(self) -> FeeFeatures:
        """The same state, which goes its own way from here: what a reorganisation returns to."""
        other = FeeFeatures(self.rule, self.block_time_s)
        for name in ("averages", "lags", "ring", "day", "seen"):
            setattr(other, name, cast(F64, getattr(self, name)).copy())
        return other
