"""`veridict worker`: one stream of payments, decided by as many workers as it needs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from veridict.apps.cli.options import (
    chains_options,
    chosen_scenario,
    json_option,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.feeds import assets_of, judges, nobody
from veridict.apps.wire import open_node
from veridict.apps.workers import broker_at, desk_of
from veridict.services.workers.sending import send as send_events
from veridict.services.workers.worker import Tally, Worker
from veridict.watch.feeds.assets import read_assets
from veridict.watch.feeds.base import Arrived, Dropped
from veridict.watch.mapping import parse_mapping

C = TypeVar("C", bound=Callable[..., Any])
NAMED = click.option(
    "--name", default="veridict", show_default=True, help="Which stream of the broker's."
)


def new_stream(command: C) -> C:
    """Adds --partitions and --replicas."""
    partitions = click.option(
        "--partitions", type=click.IntRange(1, 1024), default=16, show_default=True,
        help="Of a stream that is new; as many workers may share it.",
    )  # fmt: skip
    replicas = click.option(
        "--replicas", type=click.IntRange(1, 5), default=1, show_default=True,
        help="Of a stream that is new: servers of the cluster that keep it.",
    )  # fmt: skip
    return partitions(replicas(command))


@click.group()
def worker() -> None:
    """Share a stream of payments among workers, over NATS JetStream (nats://host:4222).

    Payments are partitioned by payer. Start as many workers as are needed, on any
    hosts, each with its own home; one that dies is replaced by the others in seconds,
    and no payment is lost or decided twice.
    """


@worker.command()
@click.argument("broker", metavar="URL")
@NAMED
@new_stream
@click.option("--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Rules in YAML.  [rules.yaml in the home]")  # fmt: skip
@click.option("--model-alone", is_flag=True, help="Neither detectors nor rules.")
@click.option("--anchor-every", type=click.IntRange(0), default=10_000, show_default=True,
              metavar="RECORDS", help="Anchor so often; 0 for never.")  # fmt: skip
@click.option("--lease", "lease_s", type=click.FloatRange(1), default=5, show_default=True,
              metavar="SECONDS", help="After so long a silent worker is replaced.")  # fmt: skip
@scenario_options
@chains_options
def run(
    broker: str,
    name: str,
    partitions: int,
    replicas: int,
    rules: Path | None,
    model_alone: bool,
    anchor_every: int,
    lease_s: float,
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Decide this worker's share with the model at work, until it is stopped."""
    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    detectors = nobody if model_alone else judges(settings, rules)
    with open_node(settings, scenario) as node, _stopping() as stopped:
        at = broker_at(broker, name, partitions=partitions, replicas=replicas, lease_s=lease_s)
        try:
            assets = assets_of(settings)
            desk = desk_of(node, settings, scenario, at, detectors=detectors, assets=assets)
            if not as_json:
                console.print(f"worker {desk.worker} on {broker}", highlight=False)
            done = Worker(desk, anchor_every=anchor_every).run(stopped.is_set)
        finally:
            at.close()
    _show("worked", _facts(done), as_json)


@worker.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("broker", metavar="URL")
@NAMED
@new_stream
@click.option("--map", "mapping", metavar="NAME=COLUMN,…", default="",
              help="The file's columns: id, time, payer, payee, amount, asset.")  # fmt: skip
@click.option("--currency", default="XXX", show_default=True, metavar="CODE",
              help="Of a file that names no asset.")  # fmt: skip
@click.option("--asset", "assets", multiple=True, metavar="NAME=DECIMALS:WORTH",
              help="What one unit is worth; may be repeated.")  # fmt: skip
@json_option
def send(
    file: Path,
    broker: str,
    name: str,
    partitions: int,
    replicas: int,
    mapping: str,
    currency: str,
    assets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Send the payments of FILE: CSV, Parquet or JSON lines. Sent twice, decided once."""
    from veridict.watch.feeds.files import FileFeed

    feed = FileFeed(file, read_assets(assets), parse_mapping(mapping), currency)
    feed.start("")
    at = broker_at(broker, name, partitions=partitions, replicas=replicas)
    sent = dropped = messages = 0
    try:
        while not feed.ended:
            items = feed.pull(65_536, 1.0)
            events = [item.event for item in items if isinstance(item, Arrived)]
            sent += len(events)
            dropped += sum(item.count for item in items if isinstance(item, Dropped))
            messages += send_events(at, events)
    finally:
        at.close()
    _show("sent", {"payments": sent, "dropped": dropped, "new_messages": messages}, as_json)


@worker.command()
@click.argument("broker", metavar="URL")
@NAMED
@json_option
def status(broker: str, name: str, as_json: bool) -> None:
    """Who is at work, and which partitions are taken."""
    at = broker_at(broker, name)
    try:
        seen = at.survey()
        facts = {
            "workers": len(seen.workers),
            "partitions": at.partitions,
            "taken": len(seen.taken),
            "decided_through": [
                tail.claim.through if (tail := at.tail(number)).claim else 0
                for number in range(at.partitions)
            ],
        }
    finally:
        at.close()
    _show("workers", facts, as_json)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by SIGTERM and Ctrl-C: partitions are handed on with their state, then it ends."""
    stopped = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(one, lambda *_: stopped.set()) for one in signals]
    try:
        yield stopped
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)


def _facts(done: Tally) -> dict[str, object]:
    return {
        "decided": done.payments,
        **done.decided,
        "finished_after_a_kill": done.finished,
        "again": done.again,
        "refused": done.refused,
    }


def _show(title: str, facts: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        rows = [(name.replace("_", " "), str(value)) for name, value in facts.items()]
        console.print(facts_table(title, rows))
