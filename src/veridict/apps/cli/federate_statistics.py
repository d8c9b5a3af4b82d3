"""`veridict federate statistics`: means, deviations and histograms over all parties' rows."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_KEY = "statistics.key"


@click.group()
def statistics() -> None:
    """Means, deviations and histograms over all parties' rows; none shows its own.

    \b
    statistics key                       each party: its public key, for who asks
    statistics ask -f age:0:120 -k KEY…  one party: writes question.json, for all
    statistics answer question.json …    all parties, at the same time
    """


@statistics.command()
@home_option
@json_option
def key(home: Path | None, as_json: bool) -> None:
    """Print this party's public key; made at the first call."""
    from veridict.proofs.signing import PrivateKey

    public = PrivateKey.load_or_create(settings_of(home).home / _KEY).public.hex()
    print_json({"key": public}) if as_json else click.echo(public)


@statistics.command()
@click.option(
    "--feature", "-f", "features", multiple=True, required=True, metavar="NAME:LOW:HIGH",
    help="A column, and the range that everybody may know.",
)  # fmt: skip
@click.option("--key", "-k", "keys", multiple=True, required=True, help="Each party's; 3 to 15.")
@click.option("--rows-max", type=int, required=True, help="Above the largest party's rows.")
@click.option("--least", type=int, default=10, show_default=True, help="Smallest cell to show.")
@click.option("--epsilon", type=float, help="Add noise to the sum.  [none]")
@click.option(
    "--out", "-o", type=click.Path(dir_okay=False, path_type=Path), default="question.json",
    show_default=True,
)  # fmt: skip
@json_option
def ask(
    features: tuple[str, ...],
    keys: tuple[str, ...],
    rows_max: int,
    least: int,
    epsilon: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write down a question: which columns, of whom, and how small a cell may be shown."""
    from veridict.apps.federating.asking import asked

    made = asked(features, keys, rows_max, least, epsilon)
    out.write_bytes(made.encode() + b"\n")
    if as_json:
        print_json({"question": str(out), "parties": len(made.roster)})
    else:
        click.echo(f"{out}: {len(made.ranges)} columns of {len(made.roster)} parties")


@statistics.command()
@click.argument("question", type=_FILE)
@click.option("--table", type=_FILE, required=True, help="This party's rows. They stay here.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="Which all parties reach; nobody needs to trust who keeps it.",
)  # fmt: skip
@click.option("--wait", type=float, default=300.0, show_default=True, help="Seconds, each step.")
@home_option
@json_option
def answer(
    question: Path, table: Path, folder: Path, wait: float, home: Path | None, as_json: bool
) -> None:
    """Take part in a QUESTION, and print what comes of it."""
    from veridict.apps.federating import asking
    from veridict.federated.statistics import shown
    from veridict.proofs.signing import PrivateKey

    asked = asking.read_question(question)
    own = PrivateKey.load_or_create(settings_of(home).home / _KEY)
    for summary in asking.answer(asked, table, folder, own, wait):
        small = summary.present < asked.least - 0.5
        cells = [None if rows is None else round(rows) for rows in shown(summary, asked.least)]
        facts = {
            "feature": summary.feature.name,
            "present": None if small else round(summary.present),
            "mean": None if small else f"{summary.mean:.6g}",
            "deviation": None if small else f"{summary.deviation:.6g}",
            "edges": [f"{edge:.6g}" for edge in summary.edges],
            "cells": None if small else cells,
        }
        if as_json:
            print_json(facts)
            continue
        console.print(f"{facts['feature']}  {facts['present']} rows  mean {facts['mean']}  "
                      f"deviation {facts['deviation']}")  # fmt: skip
        if not small:
            row = " ".join(f"<{asked.least}" if n is None else str(n) for n in cells)
            console.print(f"    {row}", markup=False)
