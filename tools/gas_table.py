"""The gas tables of docs/reference/contracts.md, from the snapshots that the tests hold exact."""

from __future__ import annotations

import json
from pathlib import Path

SNAPSHOTS = Path(__file__).parents[1] / "tests" / "contracts"
NOT_GAS = ("nodes visited", "bytes")  # what a judge's figure belongs to


def gas_table() -> str:
    return _table("gas.json")


def judge_table() -> str:
    return _table("judge_gas.json")


def _table(snapshot: str) -> str:
    rows = json.loads((SNAPSHOTS / snapshot).read_text())
    lines = [f"| {what} | {gas:,} |\n" for what, gas in rows.items() if not what.endswith(NOT_GAS)]
    return "| transaction | gas |\n| --- | ---: |\n" + "".join(lines)
