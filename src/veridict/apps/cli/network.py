"""`veridict network`: what a chain will charge, and when to post."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from veridict.apps.cli.network_chart import write_chart
from veridict.apps.cli.network_learn import learn, retrain, savings
from veridict.apps.cli.network_watch import watch
from veridict.apps.cli.options import json_option, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.settings import Settings
from veridict.chain.http import HttpRpc
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import BadInput
from veridict.services.network import attesting
from veridict.services.network.desk import open_watch, sample
from veridict.services.network.outlook import outlook
from veridict.services.network.source import BlockSource, RpcBlocks, TableBlocks
from veridict.services.network.views import FOLDER, OutlookView, PlanView, keep
from veridict.services.network.watch import NetworkWatch, Tell, untold

C = TypeVar("C", bound=Callable[..., Any])


@click.group()
def network() -> None:
    """Forecast a chain's fees and load, and post when it is cheap."""


network.add_command(learn)
network.add_command(retrain)
network.add_command(savings)
network.add_command(watch)


def source_options(command: C) -> C:
    """Adds --home, --blocks, --rpc, --at and --json."""
    for option in (
        json_option,
        click.option("--at", type=click.IntRange(min=1), help="As of this block.  [the last]"),
        click.option("--rpc", metavar="URL", help="JSON-RPC of the chain to forecast."),
        click.option(
            "--blocks",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Parquet file of blocks.  [two days of mainnet, shipped]",
        ),
        click.option(
            "--home",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where models lie, in `network`.  [VERIDICT_HOME, ~/.veridict]",
        ),
    ):
        command = option(command)
    return command


@network.command()
@click.option("--cap", "caps", multiple=True, type=float, metavar="GWEI", help="When is it enough?")
@click.option("--attest", is_flag=True, help="Log it as predictions of this home's node.")
@click.option(
    "--chart",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write fan and calibration as an HTML page.",
)
@source_options
def forecast(
    caps: tuple[float, ...],
    attest: bool,
    chart: Path | None,
    home: Path | None,
    blocks: Path | None,
    rpc: str | None,
    at: int | None,
    as_json: bool,
) -> None:
    """Fees and load of the next 5 to 300 blocks, with 80 % intervals.

    The next block's fee is exact. Where the blocks are not in order, or the model's own
    error has risen above the formula's, the formula answers, and says so.
    """
    if any(not 0 < cap < 1e9 for cap in caps):
        raise BadInput("a cap is a number of gwei above 0", remedy="pass for example --cap 12.5")
    settings = settings_of(home)
    with ExitStack() as opened:
        if attest:
            seen, indices = _attested(settings, blocks, rpc, at, opened)
        else:
            seen, indices = _watch(settings, blocks, rpc, at, opened), []
        view = outlook(seen, caps_gwei=caps)
    keep(settings.home / FOLDER, view)
    if chart is not None:
        write_chart(chart, view)
    if as_json:
        print_json({**msgspec.to_builtins(view), "logged": indices})
        return
    _print(view)
    if indices:
        console.print(f"logged as records {indices[0]} to {indices[-1]}")


@network.command()
@click.option(
    "--within", "minutes", type=click.FloatRange(min=0), default=120, show_default=True,
    metavar="MINUTES", help="The batch must be posted within.",
)  # fmt: skip
@source_options
def plan(
    minutes: float,
    home: Path | None,
    blocks: Path | None,
    rpc: str | None,
    at: int | None,
    as_json: bool,
) -> None:
    """Post a batch now, or wait? Never past the deadline."""
    settings = settings_of(home)
    with ExitStack() as opened:
        seen = _watch(settings, blocks, rpc, at, opened)
        view = outlook(seen, deadline_s=60 * minutes)
    keep(settings.home / FOLDER, view)
    assert view.plan is not None
    if as_json:
        print_json(msgspec.to_builtins(view.plan))
        return
    _print_plan(view.plan)


def _watch(
    settings: Settings,
    blocks: Path | None,
    rpc: str | None,
    at: int | None,
    opened: ExitStack,
    tell: Tell = untold,
) -> NetworkWatch:
    source: BlockSource
    if rpc is not None:
        source = RpcBlocks(opened.enter_context(HttpRpc(rpc)))
    else:
        source = TableBlocks(sample()) if blocks is None else TableBlocks.open(blocks)
    live = rpc is not None and at is None
    return open_watch(settings.home / FOLDER, source, wall_clock_ms, live=live, at=at, tell=tell)


def _attested(
    settings: Settings, blocks: Path | None, rpc: str | None, at: int | None, opened: ExitStack
) -> tuple[NetworkWatch, list[int]]:
    from veridict.apps.wire import open_node  # the node's chain is seconds to open

    node = opened.enter_context(open_node(settings))
    seen = _watch(settings, blocks, rpc, at, opened, node.append)
    attesting.register_models(node, seen.models)
    row = seen.forecaster.row
    assert row is not None
    made = attesting.attest(node, seen.forecast(), seen.models, row)
    node.anchor()
    return seen, [prediction.index for prediction in made]


def _print(view: OutlookView) -> None:
    console.print(
        facts_table(
            f"after block {view.block}",
            [
                ("next block, exactly", f"{view.next_fee_gwei:.3f} gwei"),
                *(
                    (
                        f"in {fan.horizon} blocks",
                        f"{fan.point:.3f} gwei ({fan.low:.3f} to {fan.high:.3f}), load "
                        f"{fan.load:.1%} of target{'' if fan.by_model else ', by formula'}",
                    )
                    for fan in view.fans
                ),
                *(
                    (
                        f"a cap of {wait.cap_gwei:g} gwei",
                        _wait(wait.likely_blocks, wait.sure_blocks),
                    )
                    for wait in view.inclusion
                ),
            ],
        )
    )
    for line in (*view.findings, *view.changes):
        console.print(line, style="dim")


def _wait(likely: int | None, sure: int | None) -> str:
    if likely is None:
        return "unlikely to be enough within the forecast"
    late = "not surely within the forecast" if sure is None else f"almost surely in {sure}"
    return f"likely enough in {likely} blocks, {late}"


def _print_plan(plan: PlanView) -> None:
    accepted = "any" if plan.accepted_gwei is None else f"{plan.accepted_gwei:.3f} gwei"
    facts = [
        ("next block", f"{plan.fee_gwei:.3f} gwei"),
        ("would pay now", accepted),
        ("blocks left", str(plan.left_blocks)),
        ("by", plan.by),
        ("why", plan.why),
    ]
    console.print(facts_table("post now" if plan.post else "wait", facts))
