"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from veridict.apps.settings import Settings
from veridict.solutions.roster import DATA, SCENARIOS, scenario_of
from veridict.watch.mapping import parse_mapping
from veridict.watch.scenario import Scenario

C = TypeVar("C", bound=Callable[..., Any])
_CHAINS = "veridict chains"


def home_option(command: C) -> C:
    """Adds --home."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where the node keeps everything.  [VERIDICT_HOME, ~/.veridict]",
    )(command)


def rpc_option(command: C) -> C:
    """Adds --rpc."""
    return click.option(
        "--rpc", metavar="URL", help="JSON-RPC of the chain.  [VERIDICT_RPC, the embedded chain]"
    )(command)


def chain_option(command: C) -> C:
    """Adds --chain, whose values `settings_of` finds in the context."""

    def keep(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
        ctx.meta[_CHAINS] = given

    return click.option(
        "--chain",
        metavar="NAME=URL",
        multiple=True,
        expose_value=False,
        callback=keep,
        help="Another chain to anchor on; may be repeated.  [chains.toml in the home]",
    )(command)


def json_option(command: C) -> C:
    """Adds --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(
        command
    )


def node_options(command: C) -> C:
    """Adds --home, --rpc and --json."""
    return home_option(rpc_option(json_option(command)))


def chains_options(command: C) -> C:
    """Adds --home, --rpc, --chain and --json."""
    return home_option(rpc_option(chain_option(json_option(command))))


def scenario_options(command: C) -> C:
    """Adds --scenario, --data, --stream and --map."""
    for option in reversed(
        (
            click.option(
                "--scenario", "scenario_name", type=click.Choice(SCENARIOS), default=SCENARIOS[0],
                show_default=True, help="What is decided about.",
            ),
            click.option(
                "--data", "data_name", type=click.Choice(DATA),
                help="Which data; fdh needs VERIDICT_DATA.  [the scenario's own]",
            ),
            click.option(
                "--stream", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="Your own CSV or Parquet file of payments, in the order of time.",
            ),
            click.option(
                "--map", "mapping", metavar="NAME=COLUMN,…", default="",
                help="Your file's columns: id, time, payer, payee, amount, label.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def settings_of(home: Path | None, rpc: str | None = None) -> Settings:
    context = click.get_current_context(silent=True)
    chains = context.meta.get(_CHAINS, ()) if context else ()
    return Settings.read(home=home, rpc=rpc, chains=chains)


def chosen_scenario(
    settings: Settings,
    name: str,
    data: str | None,
    stream: Path | None,
    mapping: str,
    croissant: Path | None = None,
) -> Scenario[Any]:
    return scenario_of(
        name,
        data=data,
        stream=stream,
        mapping=parse_mapping(mapping),
        data_root=settings.data,
        croissant=None if croissant is None else croissant.read_bytes(),
    )
