"""The gas table of docs/reference/contracts.md, from the snapshot that the tests hold exact."""

from __future__ import annotations

import json
from pathlib import Path

SNAPSHOT = Path(__file__).parents[1] / "tests" / "contracts" / "gas.json"


def gas_table() -> str:
    rows = json.loads(SNAPSHOT.read_text())
    lines = [f"| {action} | {gas:,} |\n" for action, gas in rows.items()]
    return "| transaction | gas |\n| --- | ---: |\n" + "".join(lines)
