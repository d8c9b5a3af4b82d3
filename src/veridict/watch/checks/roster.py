"""All checks of data, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from veridict.watch.checks import (
    blocks,
    direction,
    duplicates,
    encodings,
    look_ahead,
    missing,
    revealing,
    timing,
)
from veridict.watch.checks.base import Data, Severity, Suspicion, read_data

MODULES: tuple[ModuleType, ...] = (
    duplicates, revealing, encodings, look_ahead, timing, direction, missing, blocks,
)  # fmt: skip


def check_data(data: Data) -> tuple[Suspicion, ...]:
    """Everything suspicious, the severest first, else in the order of the roster."""
    found = [suspicion for module in MODULES for suspicion in module.check(data)]
    return tuple(sorted(found, key=lambda s: list(Severity).index(s.severity)))


def check_file(
    path: Path, mapping: Sequence[tuple[str, str]] = (), rises: Sequence[str] = ()
) -> tuple[Suspicion, ...]:
    """Raises BadStream where the file cannot be read or a mapped column is not there."""
    return check_data(read_data(path, mapping, rises))
