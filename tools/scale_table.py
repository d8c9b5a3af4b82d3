"""How many payments a second N workers decide, as far as one worker and the broker tell."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "latest.json"
WORKERS = (1, 2, 4, 8, 16, 32)
ONE, TWO, BROKER_US = "fraud.worker_per_s", "fraud.two_workers_per_s", "fraud.broker_us"


def scale_table() -> str:
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    found = {row["name"]: row["value"] for row in rows}
    if not {ONE, TWO, BROKER_US} <= found.keys():
        return "Nothing was measured yet: `python -m benchmarks fraud_workers`.\n"
    measured = {1: found[ONE], 2: found[TWO]}
    most = 1e6 / found[BROKER_US]
    lines = [
        "| workers | measured, 1/s | expected, 1/s | limited by |\n| --- | --- | --- | --- |\n"
    ]
    for count in WORKERS:
        expected = min(count * found[ONE], most)
        limit = "the workers" if expected < most else "one core of the broker"
        told = f"{measured[count]:,.0f}" if count in measured else "—"
        lines.append(f"| {count} | {told} | {expected:,.0f} | {limit} |\n")
    return "".join(lines)
