"""veridict: machine learning whose every prediction can be checked."""

from __future__ import annotations

import sys
from importlib import import_module

import click
import msgspec

from veridict import __version__
from veridict.core.errors import BadInput, VeridictError

# In the order in which a newcomer needs them; each is `module:name` under this package.
ROSTER = {
    "up": "up:up",
    "demo": "demo:demo",
    "model": "model:model",
    "predict": "predict:predict",
    "watch": "watch:watch",
    "worker": "worker:worker",
    "pilot": "pilot:pilot",
    "backtest": "backtest:backtest",
    "outcomes": "outcomes:outcomes",
    "challenger": "challenger:challenger",
    "drift": "drift:drift",
    "detectors": "detectors:detectors",
    "rules": "rules:rules",
    "data": "data:data",
    "audit": "audit:audit",
    "verify": "verify:verify",
    "log": "log:log",
    "witness": "witness:witness",
    "case": "case:case",
    "erase": "erase:erase",
    "explain": "explain:explain_command",
    "energy": "energy:energy",
    "dispute": "dispute:dispute",
    "federate": "federate:federate",
    "network": "network:network",
    "chain": "chain:chain",
}


class Roster(click.Group):
    """Commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROSTER)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ROSTER:
            return None
        module, _, attribute = ROSTER[name].partition(":")
        command: click.Command = getattr(import_module(f"veridict.apps.cli.{module}"), attribute)
        return command


@click.group(cls=Roster, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="veridict")
def cli() -> None:
    """Machine learning whose every prediction can be checked.

    \b
    veridict up --demo            a node with its dashboard, and the demo
    veridict audit                check everything, trusting nobody
    veridict verify RECEIPT       check one prediction, with the chain alone
    """


def main(arguments: list[str] | None = None) -> None:
    """Errors end with their exit status: 2 the request, 3 the surroundings, 4 failed evidence."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = cli.main(args=given, prog_name="veridict", standalone_mode=False)
    except VeridictError as error:
        sys.exit(_tell(error, as_json="--json" in given))
    except click.ClickException as error:
        if "--json" in given:
            sys.exit(_tell(_misused(error), as_json=True))
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; everything recorded is safe", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _misused(error: click.ClickException) -> VeridictError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "veridict"
    return BadInput(error.format_message(), remedy=f"see `{command} --help`")


def _tell(error: VeridictError, *, as_json: bool) -> int:
    if as_json:
        click.echo(msgspec.json.encode(error.as_dict()).decode())
    else:
        click.secho(f"{error.code}: {error.message}", fg="red", err=True)
        click.echo(f"what to do: {error.remedy}", err=True)
    return error.exit_status


if __name__ == "__main__":
    main()
