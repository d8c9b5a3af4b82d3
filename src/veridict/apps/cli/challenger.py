"""`veridict challenger`: a model beside the one at work, until it is promoted or dismissed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from veridict.apps.cli.backtest import DATE, paper_of
from veridict.apps.cli.options import (
    chosen_scenario,
    node_options,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.outlooks import show_comparison
from veridict.apps.cli.releases import LINE, line_of
from veridict.apps.cli.render import console, drawn, print_json
from veridict.apps.wire import open_node
from veridict.services import releasing


@click.group()
def challenger() -> None:
    """A second model scores and logs beside the one at work, and acts on nothing."""


@challenger.command()
@click.argument("model")
@node_options
def begin(model: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Let MODEL (a .vdm with its papers, or a registered id) challenge the one at work.

    From now on it is shown every row that the node predicts, with the same inputs.
    """
    from veridict.services.trial.challenger import begin as begin_challenge

    settings = settings_of(home, rpc)
    working, card = paper_of(settings, model)
    with open_node(settings) as node:
        begin_challenge(node, working, card)
    _say("challenges the model at work", card.model_id, as_json)


@challenger.command()
@scenario_options
@click.option("--known-by", type=DATE, help="Only what was known by then (UTC).  [now]")
@node_options
def train(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    known_by: datetime | None,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Train a challenger on what is known by now, cases and outcomes in the log first of all."""
    from veridict.services.trial.challenger import begin as begin_challenge
    from veridict.services.trial.retraining import retrain

    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    by_s = None if known_by is None else int(known_by.replace(tzinfo=UTC).timestamp())
    with open_node(settings, scenario) as node, drawn(as_json) as progress:
        working, card = retrain(node, scenario, scenario.load(), known_by_s=by_s, progress=progress)
        begin_challenge(node, working, card)
    _say("challenges the model at work", card.model_id, as_json)


@challenger.command()
@scenario_options
@node_options
def report(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Both models on the rows that both scored, by the labels in the log; with 95 % intervals."""
    from veridict.services.trial.comparing import report as compared

    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    with open_node(settings, scenario) as node:
        found = compared(node, scenario.costs)
    if as_json:
        print_json(asdict(found))
    else:
        show_comparison(found)


@challenger.command()
@click.option("--line", "name", default=LINE, show_default=True, help="The line of versions.")
@click.option("--delay", "delay_s", type=int, default=releasing.DELAY_S, show_default=True,
              help="Seconds a version waits, where this begins the line.")  # fmt: skip
@node_options
def promote(name: str, delay_s: int, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Release the challenger on a line of versions; run again when the delay is over.

    It is registered and proposed first; when the delay is over and nobody has struck it, it is
    released and put to work here.
    """
    from veridict.services.trial.promoting import promote as promote_it

    with open_node(settings_of(home, rpc)) as node:
        guardian = node.parts.keyring.account("human").address
        contract = releasing.releases(node.log, node.network)
        found = promote_it(node, line_of(node, contract, name, guardian, delay_s))
    facts = {"model_id": found.model_id.hex(), "state": found.state, "ready_at_s": found.ready_at_s}
    if as_json:
        print_json(facts)
    elif found.state == "proposed":
        console.print(f"{facts['model_id']} is proposed on {name}; ready at {found.ready_at_s} s")
    else:
        console.print(f"{facts['model_id']} is released on {name} and at work")


@challenger.command()
@node_options
def end(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Dismiss the challenger; what it said stays in the log."""
    from veridict.services.trial.challenger import end as dismiss

    with open_node(settings_of(home, rpc)) as node:
        card = dismiss(node)
    _say("is dismissed", card.model_id, as_json)


def _say(what: str, model_id: str, as_json: bool) -> None:
    if as_json:
        print_json({"model_id": model_id, "what": what})
    else:
        console.print(f"{model_id} {what}")
