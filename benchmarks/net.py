"""Fee forecasts and posting on months of mainnet that no model has seen. Needs VERIDICT_DATA.

Forecasts: models of October 2023 to January 2024, tried on every block of February 2024.
Posting at a bound of two hours: for December, January and February, a planner and a threshold
that know only the months before. Settings are those of `control.horizons`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.row import Row
from veridict.control.base_fee import MAINNET
from veridict.control.blocks import F64, BlockTable
from veridict.control.calibration import Calibration
from veridict.control.features import FeeFeatures
from veridict.control.files import clean, read_blocks
from veridict.control.horizons import Settings
from veridict.control.intake import Intake
from veridict.control.learning import answers, learn, targets
from veridict.control.trial import Trial, judge, said_live
from veridict.control.waiting import KNOTS, learn_planner
from veridict.services.network.ledger import MonthSavings, savings_by_month

FILE = "chain/eth_blocks_2023_10_to_2024_02.parquet"
HORIZONS = (5, 25, 150)
TEST = (2024, 2)
POSTING_MONTHS = ((2023, 12), (2024, 1), (2024, 2))
CALIBRATED_ON = 20_000  # blocks before the test, to begin with calibrated intervals
FORMULA = "the EIP-1559 formula"


def run() -> list[Row]:
    root = os.environ.get("VERIDICT_DATA")
    if not root or not (Path(root) / FILE).exists():
        print(f"set VERIDICT_DATA to a folder that holds {FILE}; nothing is measured")
        return []
    table, _ = clean(read_blocks(Path(root) / FILE).blocks(), Intake())
    features = FeeFeatures().batch(table)
    return [*_forecasts(table, features), *_posting(table, features)]


def _forecasts(table: BlockTable, features: F64) -> list[Row]:
    cut = _first_of(table, *TEST)
    models = learn(
        table.slice(0, cut), settings=Settings(horizons=HORIZONS), features=features[:cut],
        progress=lambda step: print(f"  {step.title}", flush=True),
    )  # fmt: skip
    upcoming = MAINNET.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    trials = []
    for horizon, model in models.models.items():
        start = cut - CALIBRATED_ON
        actual = targets(table, upcoming, horizon)[start:]
        held = Calibration(horizon, model.usual)
        said = answers(model, features[start : start + len(actual)])
        told, by_model = said_live(said, actual, held)
        later = slice(CALIBRATED_ON, None)
        trials.append(judge(told[later], by_model[later], actual[later], held))
    covered = float(np.mean([trial.covered for trial in trials]))
    return [
        *(row for trial in trials for row in _rows(trial)),
        Row("net.coverage_80", covered, "share"),
    ]


def _rows(trial: Trial) -> list[Row]:
    name = trial.horizon
    return [
        Row(f"net.error_{name}", trial.error, "MAPE", FORMULA, trial.formula_error),
        Row(f"net.gain_{name}", trial.gain, "share of the formula's MAPE"),
        Row(f"net.pinball_gain_{name}", trial.pinball_gain, "share of the formula's pinball"),
        Row(f"net.coverage_80_{name}", trial.covered, "share"),
    ]


def _posting(table: BlockTable, features: F64) -> list[Row]:
    rows: list[Row] = []
    for year, month in POSTING_MONTHS:
        print(f"  posting in {year}-{month:02}", flush=True)
        cut, end = _first_of(table, year, month), _first_of(table, year, month + 1)
        end = min(end + KNOTS[-1], len(table))
        planner = learn_planner(table.slice(0, cut), features[:cut])
        found = savings_by_month(
            table.slice(0, end), features[:end], planner, MAINNET, bound=KNOTS[-1], start=cut
        )[-1]
        rows += _saved(f"{year}_{month:02}", found)
    last = rows[-3]
    return [*rows, Row("net.posting_vs_hindsight_2h", last.value, "share of hindsight's saving")]


def _saved(month: str, found: MonthSavings) -> list[Row]:
    planner, threshold = found.planner, found.threshold
    return [
        Row(
            f"net.posting_of_hindsight_{month}", planner.of_hindsight, "share",
            "tuned threshold", threshold.of_hindsight,
        ),
        Row(
            f"net.posting_saved_{month}", planner.saved, "share of posting at once",
            "tuned threshold", threshold.saved,
        ),
        Row(f"net.hindsight_saved_{month}", planner.hindsight_saved, "share of posting at once"),
    ]  # fmt: skip


def _first_of(table: BlockTable, year: int, month: int) -> int:
    """The row of the first block of a month; 13 is January of the next year."""
    when = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
    return int(np.searchsorted(table.time_s, when.timestamp()))
