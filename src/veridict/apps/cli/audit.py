"""`veridict audit`: check everything, trusting nobody."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.audit_model import model
from veridict.apps.cli.audit_pack import export, verify
from veridict.apps.cli.options import chains_options, settings_of
from veridict.apps.cli.render import checks_json, console, drawn, print_checks, print_json
from veridict.apps.wire import open_evidence
from veridict.core.errors import EvidenceError
from veridict.services.audit import audit as run_audit


@click.group(invoke_without_command=True)
@click.option("--operator", metavar="ADDRESS", help="Whose log this must be.  [the home's own]")
@chains_options
@click.pass_context
def audit(
    ctx: click.Context, home: Path | None, rpc: str | None, operator: str | None, as_json: bool
) -> int:
    """Replay every record, re-run every model, compare every root with the chain.

    Works beside a running node and without its goodwill: it reads the log's file,
    the models and the chain. Exit status 4 if anything is found.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    with open_evidence(settings_of(home, rpc), operator) as evidence:
        with drawn(as_json) as progress:
            checks = run_audit(
                evidence.log,
                evidence.network,
                operator=evidence.operator,
                shelf=evidence.shelf,
                elsewhere=evidence.elsewhere,
                since=evidence.since,
                progress=progress,
            )
        unanchored = evidence.unanchored()
        if as_json:
            print_json({**checks_json(checks), "unanchored_records": unanchored})
        else:
            print_checks(checks)
            passed = sum(check.passed for check in checks)
            console.print(
                f"{passed} of {len(checks)} checks passed over {evidence.log.size:,} records",
                style="bold green" if passed == len(checks) else "bold red",
            )
            if unanchored:
                console.print(
                    f"{unanchored:,} records lie behind the last anchor: "
                    "only the log's own signature vouches for them",
                    style="dim",
                )
    return 0 if all(check.passed for check in checks) else EvidenceError.exit_status


for command in (model, export, verify):
    audit.add_command(command)
