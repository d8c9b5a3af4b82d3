"""`veridict explain INDEX`: what each feature is worth to one score, exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click
from rich.table import Table

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.wire import open_evidence
from veridict.core.nouns import SCORE_ONE
from veridict.services.explaining import Explained, explain
from veridict.services.usual import Middle

SHOWN = 10


@click.command("explain")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--output", type=click.IntRange(min=0),
              help="Of a model with several outputs, whose score.  [the winner's]")  # fmt: skip
@node_options
def explain_command(
    index: int, output: int | None, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Tell what each feature is worth to the score of the prediction at INDEX.

    Against the records before it, in exact fractions: the mean of their scores and all
    values together are the score, to the last bit. Shapley values for trees and linear
    models; for networks Aumann and Shapley's along a path.
    """
    with open_evidence(settings_of(home, rpc)) as evidence:
        explained = explain(evidence.log, evidence.shelf, index, output)
    if as_json:
        print_json(_document(explained))
    else:
        _draw(explained)


def _draw(explained: Explained) -> None:
    console.print(f"decision  {explained.record.decision.word}")
    of = f" of output {explained.output}" if explained.outputs > 1 else ""
    console.print(
        f"score     {_raw(Fraction(explained.score))}{of} = "
        f"{_raw(explained.base)} (mean of the {explained.background} records before) "
        f"{_raw(explained.score - explained.base)} (the features)"
    )
    console.print(f"worth     {explained.method.value}")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("worth", justify="right")
    for title in ("feature", "value", "usual for the subject", "for everybody"):
        table.add_column(title)
    for part in explained.parts[:SHOWN]:
        own, everybody = _middle(part.usual.own), _middle(part.usual.everybody)
        table.add_row(_raw(part.worth), part.feature, f"{part.value:g}", own, everybody)
    rest = sum((part.worth for part in explained.parts[SHOWN:]), Fraction(0))
    table.add_row(_raw(rest), f"{len(explained.parts[SHOWN:])} others")
    console.print(table)


def _document(explained: Explained) -> dict[str, object]:
    """Fractions as "numerator/denominator", in units of 2^-32 of the raw score."""
    return {
        "output": explained.output,
        "score": str(explained.score),
        "base": str(explained.base),
        "background": explained.background,
        "method": explained.method.name.lower(),
        "features": [
            {
                "feature": part.feature,
                "value": part.value,
                "worth": str(part.worth),
                "usual": part.usual,
            }
            for part in explained.parts
        ],
    }


def _raw(value: Fraction) -> str:
    return f"{float(value / SCORE_ONE):+.4f}"


def _middle(middle: Middle) -> str:
    return "–" if middle.value is None else f"{middle.value:g} ({middle.rows})"
