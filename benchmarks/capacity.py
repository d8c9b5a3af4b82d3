"""A gas limit that follows demand, beside the best fixed one, on loads that really happened.

Learned and chosen on a token sale, a storm of tweets and mainnet hours of October to January;
tried on the NASDAQ's opening half-hour and on hours of February. Needs VERIDICT_DATA.
A lower cost is better: seconds a transaction waits, and PRICE_S for each gas of limit by gas asked
for. `geth`: an engine that moves by a 1,024th a block; the others move at once, as an L2 does.
"""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from benchmarks.row import Row
from veridict.control.blocks import BlockTable
from veridict.control.blockspace import Engine
from veridict.control.capacity_trial import CapacityTrial, try_capacity
from veridict.control.files import read_blocks

FOLDER = "chain"
NASDAQ = "diablo_nasdaq_trades_per_second.csv.gz"
BLOCKS = "eth_blocks_2023_10_to_2024_02.parquet"
PRICES_S = (0.5, 2.0, 8.0)
SHARE = {"diablo_tenx.yaml": 0.02, "diablo_twitter.yaml": 0.01}  # of their load: to NASDAQ's size
L2 = Engine(slot_s=2)
MAINNET = Engine(slot_s=12, gas_each=100_000, patience_s=600)
HOUR_BLOCKS, LEARNED_HOURS, TRIED_HOURS = 300, 4, 4
FEBRUARY_S = 1_706_745_600  # 2024-02-01
UNIT = "share of the other's cost"


def run() -> list[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if not root or not (Path(root) / FOLDER / NASDAQ).exists():
        print(f"set VERIDICT_DATA to a folder that holds {FOLDER}/{NASDAQ}; nothing is measured")
        return []
    folder = Path(root) / FOLDER
    earlier = [_curve(folder / name, share) for name, share in SHARE.items()]
    later = [_nasdaq(folder / NASDAQ)]
    rows: list[Row] = []
    for price in PRICES_S:
        rows += _rows(f"capacity.nasdaq_price_{price:g}", try_capacity(earlier, later, L2, price))
    slow = try_capacity(earlier, later, replace(L2, moves=1_024), PRICES_S[1])
    rows += _rows(f"capacity.nasdaq_geth_price_{PRICES_S[1]:g}", slow)
    learned, tried = _mainnet(read_blocks(folder / BLOCKS))
    months = try_capacity(learned, tried, MAINNET, PRICES_S[1])
    return [*rows, *_rows(f"capacity.mainnet_price_{PRICES_S[1]:g}", months)]


def _rows(name: str, trial: CapacityTrial) -> list[Row]:
    rows = [
        Row(
            f"{name}_cost", trial.forecast.mean, "s a transaction",
            f"best fixed limit, known afterwards ({trial.hindsight.chosen:g} × demand)",
            trial.hindsight.mean,
        ),
        Row(
            f"{name}_cost_reactive", trial.reactive.mean, "s a transaction",
            f"fixed limit chosen before ({trial.fixed.chosen:g} × demand)", trial.fixed.mean,
        ),
    ]  # fmt: skip
    for word, other in (
        ("fixed", trial.fixed),
        ("hindsight", trial.hindsight),
        ("reactive", trial.reactive),
    ):
        mean, least, most = trial.gain(other)
        rows += [
            Row(f"{name}_gain_{word}", mean, UNIT),
            Row(f"{name}_gain_{word}_least", least, f"{UNIT}, of 5 seeds"),
            Row(f"{name}_gain_{word}_most", most, f"{UNIT}, of 5 seeds"),
        ]
    return rows


def _nasdaq(path: Path) -> list[int]:
    with gzip.open(path, "rt") as file:
        return [int(row["total"]) for row in csv.DictReader(file)]


def _curve(path: Path, share: float) -> list[int]:
    """Transactions a second; between the points told, in a straight line."""
    points = sorted(yaml.safe_load(path.read_text())["bench"]["txs"].items())
    seconds: list[int] = []
    for (start, low), (stop, high) in pairwise(points):
        for second in range(start, stop):
            rate = low + (high - low) * (second - start) / (stop - start)
            seconds.append(round(share * rate))
    return seconds


def _mainnet(table: BlockTable) -> tuple[list[list[int]], list[list[int]]]:
    """Hours evenly taken from before February and from it, as transactions by second."""
    cut = int(np.searchsorted(table.time_s, FEBRUARY_S))
    return (
        [_hour(table, at) for at in _evenly(0, cut, LEARNED_HOURS)],
        [_hour(table, at) for at in _evenly(cut, len(table), TRIED_HOURS)],
    )


def _evenly(start: int, stop: int, count: int) -> list[int]:
    room = stop - HOUR_BLOCKS - start
    return [start + room * place // (count + 1) for place in range(1, count + 1)]


def _hour(table: BlockTable, at: int) -> list[int]:
    """A block's transactions are asked for evenly in the slot before it."""
    seconds: list[int] = []
    for count in table.n_tx[at : at + HOUR_BLOCKS].tolist():
        each, rest = divmod(count, MAINNET.slot_s)
        seconds += [each + (second < rest) for second in range(MAINNET.slot_s)]
    return seconds
