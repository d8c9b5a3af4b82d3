"""`veridict watch`: decide payments as they come, from any source; or a scenario's stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from veridict.apps.cli.options import (
    chains_options,
    chosen_scenario,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.render import console, drawn, facts_table, print_json
from veridict.apps.feeds import Ways, assets_of, judges, nobody
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.nouns import Decision
from veridict.services.watching import watch as run_watch
from veridict.watch.scenario import Scenario

STATUS = "status"


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE…]")
@click.option(
    "--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rules in YAML.  [rules.yaml in the home]",
)  # fmt: skip
@click.option("--model-alone", is_flag=True, help="Neither detectors nor rules.")
@click.option(
    "--asset", "assets", multiple=True, metavar="NAME=DECIMALS:WORTH",
    help="What one unit is worth; may be repeated.  [assets.txt in the home]",
)  # fmt: skip
@click.option(
    "--currency", default="XXX", show_default=True, metavar="CODE",
    help="Of a file that names no asset.",
)  # fmt: skip
@click.option(
    "--speed", type=click.FloatRange(min=0), default=0, metavar="FACTOR",
    help="Replay a file so many times as fast as it happened.  [as fast as can be]",
)  # fmt: skip
@click.option(
    "--confirmations", type=click.IntRange(min=0), default=0, show_default=True,
    help="Blocks that must stand on a chain's block before it is read.",
)  # fmt: skip
@click.option(
    "--since", type=click.IntRange(min=0), metavar="BLOCK",
    help="First block of a chain never followed.  [the next one]",
)  # fmt: skip
@click.option(
    "--token", "tokens", multiple=True, metavar="ADDRESS",
    help="Follow these ERC-20 contracts only; may be repeated.  [all]",
)  # fmt: skip
@click.option("--pending", is_flag=True, help="Also what waits to be mined, if the node tells.")
@click.option("--once", is_flag=True, help="Stop when all there is has been decided.")
@click.option("--each", is_flag=True, help="Tell of every payment, also of those allowed.")
@scenario_options
@chains_options
def watch(
    sources: tuple[str, ...],
    rules: Path | None,
    model_alone: bool,
    assets: tuple[str, ...],
    currency: str,
    speed: float,
    confirmations: int,
    since: int | None,
    tokens: tuple[str, ...],
    pending: bool,
    once: bool,
    each: bool,
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Decide payments with the model at work, detectors and rules; each payment once.

    \b
    SOURCE  payments.csv           a file: CSV, Parquet or JSON lines
            messages/              a folder of ISO 20022 pacs.008 messages, or one
            https://rpc.example    an EVM chain: coins and ERC-20 tokens
            chain                  the chain that this node anchors on
            status                 tell how far all were followed, and what was dropped

    Several are followed side by side, until they end or are stopped. What was cut off
    goes on where it was. Without a SOURCE the scenario's own stream is decided.
    Payments can also be sent to a running node: POST /api/payments.
    """
    settings = settings_of(home, rpc)
    if sources == (STATUS,):
        from veridict.apps.cli.watch_feeds import show_status

        show_status(settings, as_json=as_json)
        return
    scenario = chosen_scenario(
        settings, scenario_name, data_name, stream, mapping if stream else ""
    )
    if not sources:
        _stream(settings, scenario, as_json)
        return
    from veridict.apps.cli.watch_feeds import follow_all

    ways = Ways(
        assets_of(settings, assets), mapping, currency, speed, confirmations, since, tokens,
        pending, once,
    )  # fmt: skip
    detectors = nobody if model_alone else judges(settings, rules)
    follow_all(settings, scenario, sources, ways, detectors, each=each, as_json=as_json)


def _stream(settings: Settings, scenario: Scenario[Any], as_json: bool) -> None:
    """Every row of the scenario's own stream."""
    with open_node(settings, scenario) as node, drawn(as_json) as progress:
        done = run_watch(node, scenario.load(), scenario.extractor(), progress=progress)
        node.anchor()
        counts = {decision.word: node.board.counts[decision] for decision in Decision}
    facts = {
        "decided": done.decided,
        "decided_before": done.seen_before,
        "per_second": round(done.per_second),
        **counts,
    }
    if as_json:
        print_json(facts)
    else:
        console.print(facts_table("watched", [(k.replace("_", " "), v) for k, v in facts.items()]))
