"""`python -m benchmarks [SUBJECT ...]`: measures and writes benchmarks/results/latest.json.

A subject is a file beside this one with `run() -> list[Row]`. Rows of subjects that are
not run again are kept.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

from benchmarks.row import Row

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "latest.json"
NOT_SUBJECTS = {
    "__init__",
    "__main__",
    "fraud_cards",
    "fraud_peers",
    "log_peers",
    "model_peers",
    "posting",
    "row",
    "fed_worker",
}


def subjects() -> list[str]:
    return sorted(f.stem for f in HERE.glob("*.py") if f.stem not in NOT_SUBJECTS)


def stored() -> list[Row]:
    return [Row(**row) for row in json.loads(RESULTS.read_text())] if RESULTS.exists() else []


def machine() -> str:
    """Enough to judge a figure by: processor kind, cores, system, Python."""
    cpu = platform.processor() or platform.machine()
    python = platform.python_version()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, CPython {python}"


def measure(subject: str) -> list[Row]:
    rows: list[Row] = import_module(f"benchmarks.{subject}").run()
    command = f"python -m benchmarks {subject}"
    return [
        replace(row, command=row.command or command, machine=row.machine or machine())
        for row in rows
    ]


def merged(old: Sequence[Row], new: Sequence[Row], chosen: Sequence[str]) -> list[Row]:
    """`new`, and of `old` what belongs to no chosen subject and was not measured again."""
    names = {row.name for row in new}
    commands = {f"python -m benchmarks {subject}" for subject in chosen}
    kept = [row for row in old if row.name not in names and row.command not in commands]
    return sorted([*kept, *new], key=lambda row: row.name)


def write(rows: Sequence[Row]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    partial = RESULTS.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    partial.replace(RESULTS)


def main(arguments: Sequence[str]) -> int:
    chosen = list(arguments) or subjects()
    if unknown := set(chosen) - set(subjects()):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {subjects()}")
        return 2
    rows: list[Row] = []
    for subject in chosen:
        print(f"measuring {subject}", flush=True)
        for row in measure(subject):
            peer = f"   ({row.peer}: {row.peer_value:,g})" if row.peer_value is not None else ""
            print(f"  {row.name:40} {row.value:>14,.6g} {row.unit}{peer}", flush=True)
            rows.append(row)
    write(merged(stored(), rows, chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
