"""`veridict drift`: alarms that rows are no longer like those that a model learned from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.table import Column, Table

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.wire import open_evidence
from veridict.services.records import decode, is_prediction, is_trial
from veridict.services.trial.records import DriftRecord


@click.command()
@node_options
def drift(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """List the alarms in the log: which feature or score, how far, in which predictions.

    PSI and KS compare a window of rows with those that the thresholds were chosen on; a window of
    unchanged rows passes a limit with the small chance that each alarm names.
    """
    with open_evidence(settings_of(home, rpc)) as evidence:
        others = (b for b in evidence.log.bodies() if not (is_prediction(b) or is_trial(b)))
        alarms = [r for r in map(decode, others) if isinstance(r, DriftRecord)]
    if as_json:
        print_json([msgspec.to_builtins(alarm) for alarm in alarms])
        return
    if not alarms:
        console.print("no alarm: every window so far was like what the model learned from")
        return
    table = Table("when", Column("what", no_wrap=True), "PSI (limit)", "KS (limit)", "predictions")
    for alarm in alarms:
        table.add_row(
            f"{datetime.fromtimestamp(alarm.time_ms / 1000, UTC):%Y-%m-%d %H:%M}",
            alarm.what,
            f"{alarm.psi} ({alarm.psi_limit})",
            f"{alarm.ks} ({alarm.ks_limit})",
            f"{alarm.first} to {alarm.last}",
        )
    console.print(table)
