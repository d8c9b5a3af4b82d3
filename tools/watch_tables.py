"""Tables of what watches a stream: features, detectors, checks of data; from their own files."""

from __future__ import annotations

import re
from types import ModuleType

from veridict.watch.checks import roster as checks
from veridict.watch.detectors import roster as detectors
from veridict.watch.features.graph_names import GRAPH
from veridict.watch.features.habit_names import HABIT_RISKS, HABITS
from veridict.watch.features.names import FEATURES, RISK_FEATURES
from veridict.watch.features.place_names import PLACES
from veridict.watch.feeds.normal import CODES

SETS = (
    ("payments", FEATURES + RISK_FEATURES),
    ("habits", HABITS + HABIT_RISKS),
    ("graph", GRAPH),
    ("places", PLACES),
)


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _title(module: ModuleType) -> str:
    return (module.__doc__ or "").split("\n\n")[0].rstrip(".")


def features_table() -> str:
    lines = ["| set | feature | means, for a value v |\n| --- | --- | --- |\n"]
    lines += [f"| {name} | `{f.name}` | {f.text} |\n" for name, fs in SETS for f in fs]
    return "".join(lines)


def detectors_table() -> str:
    lines = ["| detector | finds | scenario | remedy |\n| --- | --- | --- | --- |\n"]
    for module in detectors.MODULES:
        found = detectors.told(module)
        lines.append(f"| `{found.name}` | {found.title} | {found.scenario} | {found.remedy} |\n")
    return "".join(lines)


def checks_table() -> str:
    lines = ["| check | looks for | why |\n| --- | --- | --- |\n"]
    for module in checks.MODULES:
        why = (module.__doc__ or "").partition("\n\n")[2]
        lines.append(f"| `{module.NAME}` | {_title(module)} | {_line(why)} |\n")
    return "".join(lines)


def drops_table() -> str:
    rows = [f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items()]
    return "| code | why |\n| --- | --- |\n" + "".join(rows)
