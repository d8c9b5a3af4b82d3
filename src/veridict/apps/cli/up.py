"""`veridict up`: one node with its dashboard, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from veridict.apps.cli.demo import told_or_done
from veridict.apps.cli.options import (
    chains_options,
    chosen_scenario,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.render import console, drawn, print_json
from veridict.apps.cli.story import print_summary
from veridict.apps.running import announced
from veridict.apps.serving import Serving, serving
from veridict.apps.settings import TOKEN_FILE, Settings
from veridict.apps.wire import open_node
from veridict.core.progress import Progress, Step
from veridict.watch.scenario import Scenario


@click.command()
@click.option("--demo", "with_demo", is_flag=True, help="Run the demo, unless it has been run.")
@scenario_options
@click.option("--rows", type=click.IntRange(min=1000), help="Cut the demo's stream short.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the dashboard.")
@click.option("--port", default=8420, show_default=True, help="Port of the dashboard; 0 for any.")
@click.option(
    "--anchor-every",
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a record waits for its anchor at the most.",
)
@click.option(
    "--follow", "sources", multiple=True, metavar="SOURCE",
    help="Decide what this feed gives, as `veridict watch` does; may be repeated.",
)  # fmt: skip
@click.option("--once", is_flag=True, hidden=True, help="Stop when the demo has ended.")
@chains_options
def up(
    with_demo: bool,
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    rows: int | None,
    host: str,
    port: int,
    anchor_every: int,
    sources: tuple[str, ...],
    once: bool,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Start a node: log, chain, dashboard. Everything stored before is there again.

    The dashboard and the chain's JSON-RPC listen on loopback only; calls that
    change anything need the token that is printed.
    """
    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    with (
        open_node(settings, scenario) as node,
        serving(
            node,
            settings,
            host=host,
            port=port,
            anchor_every_s=anchor_every,
            scenario=scenario,
            sources=sources,
        ) as served,  # fmt: skip
        announced(settings.home, served.web_url, served.rpc_url),
    ):
        _greet(served, settings, as_json)
        if with_demo:
            _demo(served, scenario, settings, rows, as_json)
        if not once:
            _wait(as_json)


def _greet(served: Serving, settings: Settings, as_json: bool) -> None:
    facts = {
        "dashboard": served.web_url,
        "chain_rpc": served.rpc_url,
        "home": str(settings.home),
        "records": served.node.log.size,
    }
    if as_json:
        print_json(facts)
        return
    console.print(f"[bold]dashboard[/bold]  {served.web_url}")
    console.print(f"[bold]chain RPC[/bold]  {served.rpc_url}")
    if console.is_terminal:  # a person looks, and no file keeps it
        console.print(f"to decide  {served.web_url}#token={settings.access_token()}")
    else:
        console.print(f"token      in {settings.home / TOKEN_FILE}")
    console.print(f"home       {settings.home}  ({served.node.log.size:,} records)\n")


def _demo(
    served: Serving, scenario: Scenario[Any], settings: Settings, rows: int | None, as_json: bool
) -> None:
    before = served.node.log.size
    with drawn(as_json) as draw:
        progress = _both(draw, served)
        summary = told_or_done(served.node, scenario, settings.home, rows, progress)
    served.window.demo = "done"
    if as_json:
        print_json(summary)
        return
    if served.node.log.size == before:
        console.print("The demo was run before; this is what it saw.", style="dim")
    print_summary(summary)
    console.print(f"\nThe dashboard stays up at [bold]{served.web_url}[/bold]  (Ctrl-C stops it)")


def _both(draw: Progress, served: Serving) -> Callable[[Step], None]:
    def tell(step: Step) -> None:
        draw(step)
        served.window.demo = step.title
        served.node.bus.publish("step", step)

    return tell


def _wait(as_json: bool) -> None:
    stopped = threading.Event()
    try:
        stopped.wait()
    except KeyboardInterrupt:
        if not as_json:
            console.print("\nstopping; everything recorded is safe")
