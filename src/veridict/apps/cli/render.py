"""How results look in a terminal. Everything here draws values; nothing decides anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from veridict.core.nouns import Check, Stage
from veridict.core.progress import Progress, Step, silent

console = Console(highlight=False)
_BEFORE = "before"


def print_json(value: object) -> None:
    click.echo(msgspec.json.encode(value).decode())


@contextmanager
def drawn(as_json: bool) -> Iterator[Progress]:
    """A progress that draws one line a kind of step, numbered by its stage; silent for JSON."""
    if as_json:
        yield silent
        return
    columns = (
        TextColumn("{task.fields[stage]}", style="bold cyan"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[facts]}", style="dim"),
    )
    with Bars(*columns, console=console) as bars:
        lines: dict[tuple[Stage | None, str], Any] = {}

        def show(step: Step) -> None:
            key = (step.stage, step.title)
            if key not in lines:
                lines[key] = bars.add_task(step.title, stage=_stage(step.stage), facts="")
            facts = "  ".join(f"{name} {value}" for name, value in step.facts.items())
            bars.update(lines[key], completed=step.done, total=step.total, facts=facts)

        yield show


def print_checks(checks: Sequence[Check]) -> None:
    """The numbered argument, with every finding under its check."""
    for check in checks:
        mark, style = ("✓", "green") if check.passed else ("✗", "bold red")
        line = Text(f" {mark} ", style=style)
        line.append(f"{check.number}  {check.title}", style="default")
        line.append(f"  ({check.examined:,} examined)", style="dim")
        console.print(line)
        for finding in check.findings:
            console.print(Text(f"      {finding.sentence()}", style="red"))
        for note in check.notes:
            console.print(Text(f"      {note}", style="dim"))
        if not check.examined:
            console.print(Text("      nothing to examine: this does not pass", style="red"))


def checks_json(checks: Sequence[Check]) -> dict[str, object]:
    return {
        "passed": all(check.passed for check in checks),
        "checks": [
            {
                "number": check.number,
                "title": check.title,
                "examined": check.examined,
                "passed": check.passed,
                "findings": [
                    {"code": f.code, "where": f.where, "expected": f.expected, "found": f.found}
                    for f in check.findings
                ],
                "notes": list(check.notes),
            }
            for check in checks
        ],
    }


def facts_table(title: str, facts: Sequence[tuple[str, object]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold")  # an id cut short by … could not be copied
    for name, value in facts:
        table.add_row(name, str(value))
    return table


def _stage(stage: Stage | None) -> str:
    return f"{_BEFORE:>9}" if stage is None else f"{int(stage)} {stage.word:>7}"
