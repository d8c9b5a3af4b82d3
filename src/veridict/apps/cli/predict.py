"""`veridict predict`: decide rows of features now, each a record in the log."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.remote import predict_there
from veridict.apps.running import running_node
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.errors import BadInput
from veridict.services.views import PredictionRow, ReasonView
from veridict.services.window import Window
from veridict.watch.feature_rows import FeatureRows, read_feature_rows


@click.command()
@click.argument("rows", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--receipts", type=click.Path(file_okay=False, path_type=Path),
              help="Anchor, and write one receipt file a row into this directory.")  # fmt: skip
@node_options
def predict(
    rows: Path, receipts: Path | None, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Decide the rows of a CSV or Parquet file whose columns are the model's features.

    A column `id` names the rows; an empty cell is a missing value. If a node runs
    in this home, it is asked; otherwise the home is opened here.
    """
    settings = settings_of(home, rpc)
    table = read_feature_rows(rows)
    running = running_node(settings.home)
    if running is not None:
        if receipts is not None:
            raise BadInput(
                "receipts come after the next anchor of the running node",
                remedy=f"fetch them from {running.web}, or stop the node and run this again",
            )
        made = predict_there(running, settings, table)
    else:
        made = _predict_here(settings, table, receipts)
    if as_json:
        print_json(made)
    else:
        for row in made:
            console.print(_line(row))


def _predict_here(
    settings: Settings, table: FeatureRows, receipts: Path | None
) -> list[PredictionRow]:
    with open_node(settings) as node:
        window = Window(node)
        ordered = table.ordered(node.feature_names(node.at_work().model.id))
        made = window.predict_json(table.ids, ordered)
        if receipts is not None:
            node.anchor()
            receipts.mkdir(parents=True, exist_ok=True)
            for row in made:
                content = window.receipt_json(row.index)
                (receipts / f"receipt-{row.index}.json").write_bytes(content)
    return made


def _line(row: PredictionRow) -> str:
    why = "; ".join(_reason(reason) for reason in row.reasons)
    return f"{row.index:>8}  {row.request_id:<20}  {row.probability:6.3f}  {row.decision:<6}  {why}"


def _reason(reason: ReasonView) -> str:
    beside = f" ({reason.usual.text})" if reason.usual and reason.usual.text else ""
    return reason.text + beside
