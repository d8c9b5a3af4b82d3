"""Blocks of a chain: the next base fee is a formula, so it is no thing to predict, but to check by.

EIP-1559 gives it exactly from base fee, gas used and gas limit of the block before. Rows where it
does not hold are damaged or missing; a model that "predicts" it has learned a rule of arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.arrays import I64
from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "blocks"
NEEDS = ("base_fee_wei", "gas_used", "gas_limit")


def check(data: Data) -> Iterator[Suspicion]:
    if not set(NEEDS) <= set(data.rows.column_names):
        return
    columns = [data.numbers(name) for name in NEEDS]
    if any(column is None for column in columns):
        return
    fee, used, limit = (np.nan_to_num(c).astype(np.int64) for c in columns if c is not None)
    held = _next_base_fee(fee, used, limit)[:-1] == fee[1:]
    share = float(held.mean())
    if share > 0.9:
        yield Suspicion(
            NAME, Severity.NOTE, "base_fee_wei",
            f"the next row's follows from this row's by EIP-1559 for {share:.2%} of rows",
            "predict several blocks ahead, or something else; drop rows where it does not hold",
        )  # fmt: skip
    unlimited = int(((limit <= 0) | (used > limit)).sum())
    if unlimited:
        yield Suspicion(
            NAME, Severity.WARN, "gas_limit", f"{unlimited} rows have no gas limit that can be",
            "drop these rows or take the limit of the block before",
        )  # fmt: skip


def _next_base_fee(fee: I64, used: I64, limit: I64) -> I64:
    """EIP-1559 in its own integers: the target is half the limit, an eighth the most."""
    target = np.maximum(limit // 2, 1)
    more, less = used - target, target - used
    rise = np.maximum(_times(fee, more, target) // 8, 1)
    fall = _times(fee, less, target) // 8
    return np.where(more == 0, fee, np.where(more > 0, fee + rise, fee - fall))


def _times(fee: I64, part: I64, whole: I64) -> I64:
    """fee · part // whole without overflow."""
    part = np.maximum(part, 0)
    high, low = fee // whole, fee % whole
    return high * part + low * part // whole
