"""`veridict model …`: from a trained model to one that a contract can run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from veridict.apps.cli.model_gas import gas
from veridict.apps.cli.options import (
    chosen_scenario,
    json_option,
    node_options,
    scenario_options,
    settings_of,
)
from veridict.apps.cli.papers import check, data, papers
from veridict.apps.cli.releases import deprecate, release, transfer
from veridict.apps.cli.render import console, drawn, facts_table, print_json
from veridict.apps.wire import open_evidence, open_node
from veridict.core.errors import BadInput, NotFound
from veridict.models.card import ModelCard
from veridict.models.compile import compile_file
from veridict.models.thresholds import Axis, Band, Choice
from veridict.models.working import WorkingModel
from veridict.services.demo.learn import card_of, compiled_and_compared
from veridict.watch.feature_rows import read_feature_rows
from veridict.watch.scenario import Scenario
from veridict.watch.training import train as run_training


@click.group()
def model() -> None:
    """Train, compile to integers, register on chain, show, and write its papers."""


model.add_command(gas)


for further in (papers, check, data, release, deprecate, transfer):
    model.add_command(further)


@model.command()
@scenario_options
@click.option("--croissant", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your file's Croissant description: its source goes on the card.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Directory for model.txt, model.vdm, model.annex and card.json.")  # fmt: skip
@click.option("--segments", is_flag=True,
              help="Choose thresholds by segment, by amounts of money.")  # fmt: skip
@click.option("--cut", "cuts", metavar="FEATURE=EDGE,…", multiple=True,
              help="Segment by this feature instead; may be repeated.")  # fmt: skip
@json_option
def train(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    croissant: Path | None,
    out: Path,
    segments: bool,
    cuts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Train a scenario's model strictly by time, compile it, and write its card.

    With --segments or --cut each segment has the thresholds that cost least on the rows that were
    held back; one with too few of them has the pooled ones. `veridict audit model` chooses again.
    """
    settings = settings_of(None)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping, croissant)
    choice = _choice(scenario, cuts) if segments or cuts else None
    with drawn(as_json) as progress:
        data = scenario.load()
        trained = run_training(scenario, data, progress=progress)
        compiled, _ = compiled_and_compared(trained, progress)
    card = card_of(scenario, data, trained, compiled, choice)
    out.mkdir(parents=True, exist_ok=True)
    trained.booster.save_model(out / "model.txt")
    _write(out / "model", compiled.model.bytes, compiled.annex.encode())
    (out / "card.json").write_bytes(card.encode())
    _show_card(card, as_json)


@model.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Written as OUT.vdm and OUT.annex.")
@click.option("--rows", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV or Parquet file, features in the model's order: what occurs.")  # fmt: skip
@json_option
def compile(source: Path, out: Path | None, rows: Path | None, as_json: bool) -> None:
    """Compile a model file to canonical integer bytes.

    Takes LightGBM's text, XGBoost's JSON or UBJSON, and ONNX; executes nothing in
    it. What has no exact form is refused, with the reason. Linear models and networks
    get a tighter bound from rows; trees need none.
    """
    compiled = compile_file(source, None if rows is None else read_feature_rows(rows).matrix())
    target = out or source.with_suffix("")
    _write(target, compiled.model.bytes, compiled.annex.encode())
    facts: dict[str, object] = {
        "model_id": compiled.model.id.hex(),
        "bytes": len(compiled.model.bytes),
        "chunks": len(compiled.model.chunks()),
        "features": len(compiled.feature_names),
        "outputs": compiled.model.n_outputs,
        "trees": len(compiled.model.annexed),
        "error_bound": f"{compiled.error_bound} × 2^-32",
        "file": f"{target}.vdm",
    }
    if as_json:
        print_json(facts)
    else:
        console.print(facts_table("compiled", list(facts.items())))


@model.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--card", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Its card.  [card.json beside it]")  # fmt: skip
@node_options
def register(
    file: Path, card: Path | None, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Store a compiled model (.vdm) on chain, register it with its card, put it to work."""
    annex = file.with_suffix(".annex")
    papers = card or file.with_name("card.json")
    for needed in (annex, papers):
        if not needed.exists():
            raise NotFound(
                f"{needed.name} is missing beside {file.name}",
                remedy="compile and write the card with `veridict model train`",
            )
    ready = WorkingModel.load(file.read_bytes(), annex.read_bytes())
    with open_node(settings_of(home, rpc)) as node:
        gas = node.register(ready, ModelCard.decode(papers.read_bytes()))
    if as_json:
        print_json({"model_id": ready.id.hex(), "gas": gas})
    else:
        console.print(f"{ready.id.hex()} is registered and at work ({gas:,} gas)")


@model.command()
@node_options
def show(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """The card of the model at work, as it was logged."""
    with open_evidence(settings_of(home, rpc)) as evidence:
        card = evidence.latest_card()
    _show_card(card, as_json)


def _choice(scenario: Scenario[Any], cuts: tuple[str, ...]) -> Choice:
    if scenario.segments is None:
        raise BadInput(
            f"{scenario.name} has one pair of thresholds for all", remedy="leave out --segments"
        )
    if not cuts:
        return scenario.segments
    axes = []
    for cut in cuts:
        feature, _, edges = cut.partition("=")
        axes.append(Axis(feature, tuple(edges.split(","))))
    choice = replace(scenario.segments, axes=tuple(axes))
    choice.cuts(scenario.feature_names)  # before the training, which takes a while
    return choice


def _show_card(card: ModelCard, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.json.decode(card.encode()))
        return
    facts: list[tuple[str, object]] = [
        ("model id", card.model_id),
        ("card digest", card.digest.hex()),
        ("data", f"{card.data_title}, {card.data}"),
        ("features", len(card.features)),
        ("review at / hold at", f"{card.review_at} / {card.hold_at} × 2^-32"),
        *((f"segment {b.name}", f"{b.review_at} / {b.hold_at} × 2^-32, {_told(b)}")
          for b in (card.chosen.bands if card.chosen else ())),
        *((f"{m.name}{f', {m.group}' if m.group else ''}", f"{m.value} of {m.rows:,} rows")
          for m in card.metrics),
        *(("limit", limit) for limit in card.limits),
    ]  # fmt: skip
    console.print(facts_table(card.title, facts))


def _write(target: Path, model_bytes: bytes, annex: bytes) -> None:
    target.with_suffix(".vdm").write_bytes(model_bytes)
    target.with_suffix(".annex").write_bytes(annex)


def _told(band: Band) -> str:
    if not band.own:
        return f"pooled: only {band.events:,} events in {band.rows:,} rows"
    return f"costs {band.cost:,} where the pooled would cost {band.pooled_cost:,}"
