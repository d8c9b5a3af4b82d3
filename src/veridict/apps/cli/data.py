"""`veridict data`: what is wrong with data, before a model learns it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from veridict.apps.cli.options import json_option
from veridict.apps.cli.render import console, print_json
from veridict.watch.mapping import parse_mapping

LEAKS = 4  # as failed evidence


@click.group()
def data() -> None:
    """Look at data before a model learns it."""


@data.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "mapping", default="", help="label=COLUMN,time=COLUMN,id=COLUMN")
@click.option("--rises", multiple=True, metavar="COLUMN", help="Known to rise with the event.")
@json_option
def check(file: Path, mapping: str, rises: tuple[str, ...], as_json: bool) -> int:
    """Look-ahead, duplicates and columns that give the label away; exit status 4 if any leaks."""
    from veridict.watch.checks.base import Severity
    from veridict.watch.checks.roster import check_file

    found = check_file(file, parse_mapping(mapping), rises)
    if as_json:
        print_json(
            [
                {
                    "check": s.check,
                    "severity": s.severity.value,
                    "column": s.column,
                    "what": s.what,
                    "remedy": s.remedy,
                }
                for s in found
            ]
        )
    elif not found:
        console.print("nothing suspicious was found; that is no proof that there is nothing")
    else:
        table = Table("", "check", "column", "what", "what to do")
        for s in found:
            table.add_row(s.severity.value, s.check, s.column, s.what, s.remedy)
        console.print(table)
    return LEAKS if any(s.severity is Severity.LEAK for s in found) else 0
