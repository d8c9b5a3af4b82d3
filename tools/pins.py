"""Writes constraints.txt: the exact version of everything installed in this environment.

The same pins serve CPython 3.11, 3.12 and 3.13; `python -m tools.pins --check` in an
environment of each tells whether it holds exactly these.
"""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
NOT_PINNED = {"veridict", "wheel"}  # ourselves; and what only an old venv seeds
HEADER = "# Written by `make pins`: what a fresh install gets on CPython 3.11, 3.12 and 3.13.\n"


def installed() -> dict[str, str]:
    """Version by lower-case name, without what we do not pin."""
    found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
    return {name: version for name, version in found.items() if name not in NOT_PINNED}


def main() -> int:
    lines = [f"{name}=={version}\n" for name, version in sorted(installed().items())]
    if "--check" in sys.argv[1:]:
        pinned = set(CONSTRAINTS.read_text().splitlines(keepends=True))
        strange = [line for line in lines if line not in pinned]
        print("".join(strange) or "everything installed is pinned")
        return 1 if strange else 0
    CONSTRAINTS.write_text(HEADER + "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
