"""`veridict network watch`: follow a chain, keep the forecast fresh, attest it now and then."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.wire import open_node
from veridict.chain.http import HttpRpc
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import RpcUnavailable
from veridict.services.network import attesting
from veridict.services.network.desk import open_watch
from veridict.services.network.outlook import outlook
from veridict.services.network.source import RpcBlocks
from veridict.services.network.views import FOLDER, OutlookView, keep
from veridict.services.network.watch import NetworkWatch, untold
from veridict.services.node import Node


@click.command()
@click.option("--rpc", required=True, metavar="URL", help="JSON-RPC of the chain to forecast.")
@click.option("--attest", is_flag=True, help="Log forecasts and findings in this home's node.")
@click.option(
    "--every", type=click.IntRange(min=1), default=25, show_default=True, metavar="BLOCKS",
    help="Attest a forecast so often.",
)  # fmt: skip
@click.option(
    "--within", "minutes", type=click.FloatRange(min=0), default=120, show_default=True,
    metavar="MINUTES", help="Plan for a batch that must be posted within.",
)  # fmt: skip
@click.option("--looks", type=click.IntRange(min=1), help="Stop after so many.  [never]")
@home_option
@json_option
def watch(
    rpc: str,
    attest: bool,
    every: int,
    minutes: float,
    looks: int | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Follow a chain until stopped; the dashboard's page shows every new block's forecast.

    A node that does not answer is asked again; what is doubted is told, and with --attest
    logged.
    """
    settings = settings_of(home)
    with ExitStack() as opened:
        node = opened.enter_context(open_node(settings)) if attest else None
        client = opened.enter_context(HttpRpc(rpc))
        tell = node.append if node is not None else untold
        folder = settings.home / FOLDER
        seen = open_watch(folder, RpcBlocks(client), wall_clock_ms, live=True, tell=tell)
        if node is not None:
            attesting.register_models(node, seen.models)
        done, attested, shown = 0, 0, 0
        while looks is None or done < looks:
            done += 1
            try:
                seen.catch_up()
            except RpcUnavailable as problem:
                console.print(f"{problem.message}; asking again", style="dim")
            view = outlook(seen, deadline_s=60 * minutes)
            if view.block != shown:
                shown = view.block
                keep(folder, view)
                _show(view, as_json)
            if node is not None and view.block >= attested + every:
                attested = view.block
                _attest(node, seen)
            if looks is None or done < looks:
                time.sleep(seen.models.block_time_s / 2)


def _attest(node: Node, seen: NetworkWatch) -> None:
    row = seen.forecaster.row
    assert row is not None
    attesting.attest(node, seen.forecast(), seen.models, row)


def _show(view: OutlookView, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(view))
        return
    fans = ", ".join(f"+{fan.horizon} {fan.point:.2f}" for fan in view.fans)
    plan = "" if view.plan is None else ("; post now" if view.plan.post else "; wait")
    doubt = "" if view.trusted else " (doubted: by formula)"
    console.print(f"{view.block}: next {view.next_fee_gwei:.2f} gwei, {fans}{plan}{doubt}")
