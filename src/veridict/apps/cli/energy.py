"""`veridict energy`: what a node's log says its work cost."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Column, Table

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.trust import open_log
from veridict.services.energy import MARK, EnergyRecord, Use, Used, add
from veridict.services.records import decode

THOUSAND = 1_000


@click.command()
@home_option
@json_option
def energy(home: Path | None, as_json: bool) -> None:
    """Joules by activity: a thousand predictions, an anchor, a federated round.

    "rapl": the processor's own counter, shared out by CPU time. "cpu-time model": CPU seconds
    times VERIDICT_WATTS_PER_CORE, an estimate. The two are never added up. A node that runs
    tells its log every ten minutes, and its page /metrics at any time.
    """
    used: Used = {}
    with open_log(settings_of(home)) as log:
        for body in log.bodies():
            if body.startswith(MARK):
                record = decode(body)
                assert isinstance(record, EnergyRecord)
                add(used, record)
    if as_json:
        print_json(msgspec.to_builtins(used))
        return
    if not used:
        console.print("The log tells nothing of energy: no node has run for ten minutes yet.")
        return
    table = Table(
        Column("activity", no_wrap=True), Column("times", justify="right"),
        Column("CPU", justify="right"), Column("energy", justify="right"), "of which", "told by",
    )  # fmt: skip
    for source, activities in used.items():
        for name, use in sorted(activities.items()):
            spent = f"{use.cpu_us / 1e6:,.1f} s", f"{use.energy_uj / 1e6:,.1f} J"
            table.add_row(name, f"{use.count:,}", *spent, _each(name, use), source)
    console.print(table)


def _each(name: str, use: Use) -> str:
    if name == "prediction":
        return f"{THOUSAND * use.joules_each:,.3g} J a thousand"
    return f"{use.joules_each:,.3g} J each"
