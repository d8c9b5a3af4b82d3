"""`veridict demo`: the seven stages on a stream, and every lie being caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from veridict.apps.cli.options import (
    chosen_scenario,
    node_options,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.render import drawn, print_json
from veridict.apps.cli.story import print_summary
from veridict.apps.wire import open_node
from veridict.core.errors import EvidenceError
from veridict.core.progress import Progress
from veridict.services.demo.summary import Summary, summary_of
from veridict.services.node import Node
from veridict.watch.scenario import Scenario


@click.command()
@scenario_options
@click.option("--rows", type=click.IntRange(min=1000), help="Use only the first rows.")
@node_options
def demo(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    rows: int | None,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> int:
    """Tell one prediction's seven stages on a whole stream, then lie and be caught.

    Trains on the past, compiles to integers, registers on chain; decides the later
    part as it comes; pays a sample through a guard contract; audits; lies in seven
    ways; disputes a false score. What was done before is not done again.
    """
    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    with open_node(settings, scenario) as node, drawn(as_json) as progress:
        summary = told_or_done(node, scenario, settings.home, rows, progress)
    if as_json:
        print_json(summary)
    else:
        print_summary(summary)
    return 0 if summary.clean else EvidenceError.exit_status


def told_or_done(
    node: Node, scenario: Scenario[Any], home: Path, rows: int | None, progress: Progress
) -> Summary:
    """What an earlier run saw; else run it now, which needs the training libraries."""
    told = summary_of(node.log, scenario.name, scenario.data_name)
    if told is not None:
        return told
    from veridict.services.demo.story import demo as run_demo

    return run_demo(node, scenario, home, rows=rows, progress=progress)
