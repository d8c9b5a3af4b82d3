"""The gas tables of docs/reference/contracts.md, from the snapshots that the tests hold exact."""

from __future__ import annotations

import json
from pathlib import Path

SNAPSHOTS = Path(__file__).parents[1] / "tests" / "contracts"
JUDGED = ("model of 30 features", "bytes", "chunks", "stored", "registered", "a call", "again")


def gas_table() -> str:
    rows: dict[str, int] = {}
    for snapshot in ("gas.json", "federation_gas.json"):
        rows |= json.loads((SNAPSHOTS / snapshot).read_text())
    lines = [f"| {action} | {gas:,} |\n" for action, gas in rows.items()]
    return "| transaction | gas |\n| --- | ---: |\n" + "".join(lines)


def judge_table() -> str:
    """By model: what it costs to store, to register, to call cold and to call warm."""
    head = f"| {' | '.join(JUDGED)} |\n| --- |{' ---: |' * (len(JUDGED) - 1)}\n"
    models = json.loads((SNAPSHOTS / "judge_gas.json").read_text())
    lines = [
        f"| {name} | {row['bytes']:,} | {row['chunks']} | {row['deployment']:,} "
        f"| {row['registration']:,} | {row['call']:,} | {row['again']:,} |\n"
        for name, row in models.items()
    ]
    challenges = [
        f"\nThe challenge of a lie, {name}: {row['challenge']:,} gas.\n"
        for name, row in models.items()
        if "challenge" in row
    ]
    return head + "".join(lines + challenges)
