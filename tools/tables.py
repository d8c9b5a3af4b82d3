"""Writes the generated tables of docs/reference; `--check` only tells whether they are stale.

A page marks where a table goes:

    <!-- table: errors -->
    ... replaced ...
    <!-- end -->
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.gas_table import gas_table, judge_table
from tools.scale_table import scale_table
from tools.watch_tables import checks_table, detectors_table, drops_table, features_table
from veridict.core import errors
from veridict.core.errors import VeridictError

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "reference"
RESULTS = ROOT / "benchmarks" / "results" / "latest.json"
MARKED = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TREE_LINE = re.compile(r"[├└]── (\w+) +(.+)")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def error_classes() -> list[type[VeridictError]]:
    """The classes in the order of the file, which is the order of the tree."""
    classes = [c for _, c in inspect.getmembers_static(errors, inspect.isclass)]
    ours = [c for c in classes if issubclass(c, VeridictError)]
    return sorted(ours, key=lambda c: inspect.getsourcelines(c)[1])


def meanings() -> Mapping[str, str]:
    """What the tree at the top of core/errors.py says of each class."""
    tree = TREE_LINE.findall(errors.__doc__ or "")
    return {name: re.sub(r" \(\d{3}\)$", "", re.split(r" {2,}", text)[0]) for name, text in tree}


def errors_table() -> str:
    said = meanings()
    rows = [
        [f"`{c.code}`", f"`{c.__name__}`", str(c.exit_status), str(c.http_status), meaning]
        for c in error_classes()
        if (meaning := said.get(c.__name__))
    ]
    return _table(["code", "class", "exit", "HTTP", "meaning"], rows)


def figures_table() -> str:
    if not RESULTS.exists():
        return "No figure was measured yet: `make bench`.\n"
    rows = json.loads(RESULTS.read_text())
    cells = [
        [f"`{r['name']}`", _number(r["value"]), r["unit"], _peer(r), f"`{r['command']}`"]
        for r in rows
    ]
    machines = sorted({r["machine"] for r in rows})
    where = "".join(f"\nMeasured on: {machine}.\n" for machine in machines)
    return _table(["figure", "value", "unit", "peer", "command"], cells) + where


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _peer(row: Mapping[str, object]) -> str:
    value = row["peer_value"]
    return f"{row['peer']}: {_number(value)}" if isinstance(value, int | float) else "—"


TABLES: Mapping[str, Callable[[], str]] = {
    "errors": errors_table,
    "figures": figures_table,
    "gas": gas_table,
    "judge": judge_table,
    "features": features_table,
    "detectors": detectors_table,
    "checks": checks_table,
    "scale": scale_table,
    "drops": drops_table,
}


def rendered(page: str) -> str:
    """`page` with every marked table written anew. KeyError for a table nobody makes."""
    return MARKED.sub(lambda m: f"{m[1]}{TABLES[m[2]]()}{m[3]}", page)


def main(arguments: Sequence[str]) -> int:
    stale = {
        page: new
        for page in sorted(PAGES.glob("*.md"))
        if (new := rendered(page.read_text())) != page.read_text()
    }
    for page, new in stale.items():
        print(f"{page.relative_to(ROOT)} {'is stale: run `make docs`' if arguments else 'written'}")
        if not arguments:
            page.write_text(new)
    return 1 if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
