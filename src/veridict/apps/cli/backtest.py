"""`veridict backtest`: any model, rules or detector over history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np

from veridict.apps.cli.options import chosen_scenario, node_options, scenario_options, settings_of
from veridict.apps.cli.outlooks import show_comparison, show_outlooks
from veridict.apps.cli.papers import id_of
from veridict.apps.cli.render import console, drawn, print_json
from veridict.apps.settings import Settings
from veridict.apps.wire import open_evidence
from veridict.core.errors import BadInput, NotFound
from veridict.models.card import ModelCard
from veridict.models.working import WorkingModel
from veridict.services.papers.files import registration

DAY_S = 86_400
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.option("--model", "models", multiple=True, metavar="FILE|ID",
              help="A .vdm, its .annex and card.json beside it; or a model's id.")  # fmt: skip
@click.option("--rules", "rule_files", multiple=True, type=FILE, help="Rules in YAML.")
@click.option("--detector", "detectors", multiple=True, metavar="NAME",
              help="One of `veridict detectors` that needs no training.")  # fmt: skip
@click.option("--from", "start", type=DATE,
              help="First day judged (UTC).  [behind what the models were trained on]")  # fmt: skip
@click.option("--to", "stop", type=DATE, help="First day that is not judged any more.")
@click.option(
    "--label-delay-days", type=int, help="When labels become features.  [the data's, or 7]"
)
@scenario_options
@node_options
def backtest(
    models: tuple[str, ...],
    rule_files: tuple[Path, ...],
    detectors: tuple[str, ...],
    start: datetime | None,
    stop: datetime | None,
    label_delay_days: int | None,
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """What models, rules and detectors would have found, missed and cost over history.

    Two or more are compared on the same rows. Intervals hold a figure with 95 %. Money and cost
    count rows whose label is known; cost is in looks by a person.
    """
    from veridict.watch.backtest import backtest as run_backtest
    from veridict.watch.features.roster import sets_for
    from veridict.watch.outlook import compare, outlook

    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    papers = [paper_of(settings, given) for given in models]
    contenders, needed = _contenders(papers, rule_files, detectors)
    rows = scenario.load()
    times_s = rows.times_s
    trained_to = max((card.trained_to_s for _, card in papers), default=int(times_s[0]))
    first = int(np.searchsorted(times_s, trained_to if start is None else _second(start)))
    last = len(rows) if stop is None else int(np.searchsorted(times_s, _second(stop)))
    if first >= last:
        raise BadInput(
            "no row lies between --from and --to, behind what the models were trained on",
            remedy="choose an earlier --from; the figures of rows trained on flatter",
        )
    delay_s = scenario.label_delay_s if label_delay_days is None else label_delay_days * DAY_S
    extractor = sets_for(needed, scenario, label_delay_s=7 * DAY_S if delay_s is None else delay_s)
    with drawn(as_json) as progress:
        decided = run_backtest(
            scenario, rows.slice(0, last), extractor, contenders, start=first, progress=progress
        )
    outlooks = [outlook(one, scenario.costs) for one in decided]
    pairs = [compare(a, b, scenario.costs) for a, b in combinations(decided, 2)]
    learned_from = int((times_s[first:last] < trained_to).sum()) if papers else 0
    if as_json:
        print_json(
            {
                "outlooks": [asdict(one) for one in outlooks],
                "comparisons": [
                    {k: v for k, v in asdict(p).items() if k not in ("first", "second")}
                    | {"first": p.first.name, "second": p.second.name}
                    for p in pairs
                ],
                "rows_learned_from": learned_from,
            }
        )
        return
    span = f"{_day(int(times_s[first]))} to {_day(int(times_s[last - 1]))}"
    if len(pairs) == 1:
        show_comparison(pairs[0])
    else:
        show_outlooks(outlooks, span)
    if learned_from:
        console.print(f"[bold red]{learned_from:,} of these rows were learned from: this flatters")


def _contenders(
    papers: Sequence[tuple[WorkingModel, ModelCard]],
    rule_files: Sequence[Path],
    detectors: Sequence[str],
) -> tuple[list[Any], list[str]]:
    """What decides, and the names of all features that they read."""
    from veridict.watch.backtest import ByDetectors, ByModel
    from veridict.watch.detectors.roster import ready
    from veridict.watch.rules.ruleset import read_rules

    found: list[Any] = []
    needed: list[str] = []
    for model, card in papers:
        found.append(ByModel(f"model {model.id.hex()[:8]}", model, card.features, card.policy))
        needed += card.features
    for path in rule_files:
        rules = read_rules(path)
        found.append(ByDetectors(rules.name, [rules]))
        needed += rules.needs
    made = {detector.name: detector for detector in ready()} if detectors else {}
    for name in detectors:
        if name not in made:
            raise BadInput(f"no detector {name!r} is ready", remedy=f"choose of {', '.join(made)}")
        found.append(ByDetectors(name, [made[name]]))
        needed += made[name].needs
    if not found:
        raise BadInput("nothing to try", remedy="pass --model, --rules or --detector")
    return found, list(dict.fromkeys(needed))


def paper_of(settings: Settings, given: str) -> tuple[WorkingModel, ModelCard]:
    path = Path(given)
    if path.suffix != ".vdm":
        with open_evidence(settings) as evidence:
            model_id = id_of(given)
            card = registration(evidence.log, model_id).model_card()
            return WorkingModel.load(*evidence.shelf.need(model_id)), card
    annex, card_file = path.with_suffix(".annex"), path.with_name("card.json")
    for needed in (path, annex, card_file):
        if not needed.is_file():
            raise NotFound(
                f"{needed.name} is missing beside {path.name}",
                remedy="write all three with `veridict model train`",
            )
    model = WorkingModel.load(path.read_bytes(), annex.read_bytes())
    card = ModelCard.decode(card_file.read_bytes())
    if card.model_id != model.id.hex():
        raise BadInput(
            f"{card_file.name} is another model's card", remedy="keep each model in its own folder"
        )
    return model, card


def _second(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def _day(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}"
