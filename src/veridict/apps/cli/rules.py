"""`veridict rules`: rules that people write, checked and tried on history before they go live."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Column, Table

from veridict.apps.cli.options import chosen_scenario, json_option, scenario_options, settings_of
from veridict.apps.cli.render import console, print_json

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAY_S = 86_400


@click.group()
def rules() -> None:
    """Rules in YAML, one condition and one reason each; see docs/how-to/write-rules.md."""


@rules.command()
@click.argument("file", type=FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Read FILE and check every condition, name and reason in it."""
    from veridict.watch.features.roster import every_set
    from veridict.watch.rules.ruleset import read_rules

    found = read_rules(file)
    found.check([f.name for f in every_set(label_delay_s=0, placed=True).features])
    if as_json:
        print_json({"rules": [rule.name for rule in found.rules], "name": found.name})
    else:
        console.print(f"{len(found.rules)} rules are sound: {found.name}")


@rules.command()
@click.argument("file", type=FILE)
@scenario_options
@click.option("--label-delay-days", default=7, show_default=True, help="When labels are known.")
@json_option
def test(
    file: Path,
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    label_delay_days: int,
    as_json: bool,
) -> None:
    """Try FILE on history: what each rule finds, how often it is right, and how much work it is."""
    from veridict.watch.detectors.base import View
    from veridict.watch.features.roster import every_set, tells_places
    from veridict.watch.lists import shipped_lists
    from veridict.watch.rules.backtest import backtest
    from veridict.watch.rules.ruleset import read_rules

    found = read_rules(file)
    scenario = chosen_scenario(settings_of(None), scenario_name, data_name, stream, mapping)
    rows = scenario.load()
    delay_s, placed = label_delay_days * DAY_S, tells_places(rows)
    sets = every_set(label_delay_s=delay_s, labelled=shipped_lists(), placed=placed)
    found.check([f.name for f in sets.features])
    tried = backtest(found, View(rows, sets.batch(rows), sets.features), rows.labels)
    if as_json:
        print_json([{**asdict(t), "remark": t.remark} for t in tried])
        return
    table = Table(
        Column("rule", no_wrap=True), "hits", "a day", "events", "alone", "precision", "recall", ""
    )
    for t in tried:
        shares = [f"{s:.1%}" if s is not None else "–" for s in (t.precision, t.recall)]
        counts = [f"{n:,}" for n in (t.hits, t.per_day, t.events, t.alone)]
        table.add_row(t.rule, *counts, *shares, t.remark)
    console.print(table)


@rules.command()
@json_option
def features(as_json: bool) -> None:
    """Every name that a condition may read, with what it means."""
    from veridict.watch.features.roster import every_set

    known = every_set(label_delay_s=0, placed=True).features
    if as_json:
        print_json({f.name: f.text for f in known})
        return
    table = Table(Column("feature", no_wrap=True), "means, for a value v")
    for feature in known:
        table.add_row(feature.name, feature.text)
    console.print(table)
