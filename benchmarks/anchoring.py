"""What the schedule of anchors saves on real fees: a batch, and a stream. Needs VERIDICT_DATA.

A batch comes every deadline and is posted once; its yardstick is posting at once. In a stream
records never stop; its yardstick is posting at the deadline, at any fee.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.row import Row
from veridict.services.anchoring.schedule import Moment, decide, patient

FILE = "chain/eth_blocks_2023_10_to_2024_02.parquet"
BLOCKS, SEEN, BLOCK_S = 100_000, 256, 12
DEADLINES_H = (0.5, 2)


def run() -> list[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if root is None:
        print(f"set VERIDICT_DATA to a folder that holds {FILE}; nothing is measured")
        return []
    table = pq.read_table(Path(root) / FILE, columns=["base_fee_wei"])
    fees = [int(fee) for fee in table.column(0)[:BLOCKS].to_pylist()]
    rows = []
    for hours in DEADLINES_H:
        name, deadline_s = f"{hours:g}h", 3600 * hours
        rows.append(
            Row(f"anchor.batch_saving_{name}", batch(fees, deadline_s), "%", "posting at once", 0.0)
        )
        saved = stream(fees, deadline_s)
        rows.append(Row(f"anchor.stream_saving_{name}", saved, "%", "posting at the deadline", 0.0))
    return rows


def posts(fees: Sequence[int], at: int, since: int, deadline_s: float, quiet: bool) -> bool:
    waited_s = float(BLOCK_S * (at - since))
    recent = tuple(fees[at - SEEN : at])
    quiet_s = waited_s if quiet else 0.0
    return decide(Moment(waited_s, deadline_s, fees[at], recent, quiet_s), patient).post


def batch(fees: Sequence[int], deadline_s: float) -> float:
    """Percent saved over all batches."""
    every, paid, at_once = int(deadline_s / BLOCK_S), 0, 0
    for since in range(SEEN, len(fees) - every, every):
        at = since
        while not posts(fees, at, since, deadline_s, quiet=True):
            at += 1
        paid, at_once = paid + fees[at], at_once + fees[since]
    return 100 * (1 - paid / at_once)


def stream(fees: Sequence[int], deadline_s: float) -> float:
    """Percent saved over the whole time."""
    last_call = int(Moment(0, deadline_s, 0).last_call_s / BLOCK_S) + 1
    paid, since = 0, SEEN
    for at in range(SEEN, len(fees)):
        if posts(fees, at, since, deadline_s, quiet=False):
            paid, since = paid + fees[at], at + 1
    late = sum(fees[at] for at in range(SEEN + last_call, len(fees), last_call + 1))
    return 100 * (1 - paid / late)
