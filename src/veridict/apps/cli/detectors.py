"""`veridict detectors`: what looks at every payment, each in its own words."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.table import Column, Table

from veridict.apps.cli.options import json_option
from veridict.apps.cli.render import console, print_json
from veridict.core.errors import NotFound


@click.command()
@click.argument("name", required=False)
@json_option
def detectors(name: str | None, as_json: bool) -> None:
    """List the detectors, or tell of one what it is for and what to do when it alerts."""
    from veridict.watch.detectors.roster import MODULES, told

    found = [told(module) for module in MODULES]
    if name is not None:
        chosen = [one for one in found if one.name == name]
        if not chosen:
            known = ", ".join(one.name for one in found)
            raise NotFound(f"there is no detector {name!r}", remedy=f"choose of {known}")
        found = chosen
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if name is None:
        table = Table(Column("detector", no_wrap=True), "finds", "needs first")
        for one in found:
            table.add_row(one.name, one.title, one.needs or "–")
        console.print(table)
        return
    one = found[0]
    console.print(f"[bold]{one.name}[/bold]: {one.title}")
    console.print(f"Scenario: {one.scenario}")
    console.print(f"Remedy: {one.remedy}")
    console.print(f"Needs first: {one.needs or 'nothing'}")
