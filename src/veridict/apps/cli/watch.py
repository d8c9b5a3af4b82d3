"""`veridict watch`: decide a stream as it comes."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import (
    chains_options,
    chosen_scenario,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.render import console, drawn, facts_table, print_json
from veridict.apps.wire import open_node
from veridict.core.nouns import Decision
from veridict.services.watching import watch as run_watch


@click.command()
@scenario_options
@chains_options
def watch(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Decide every row of a stream with the model at work; each row once.

    A stream that was cut off goes on behind the last row that has a record.
    """
    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
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
