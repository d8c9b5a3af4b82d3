"""`veridict network learn|retrain|savings`: models from blocks, and what they would have saved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, drawn, facts_table, print_json
from veridict.apps.wire import open_node
from veridict.control.blocks import BlockTable
from veridict.control.features import FeeFeatures
from veridict.control.files import clean, read_blocks
from veridict.control.horizons import Settings as Growing
from veridict.control.intake import Intake
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import BadInput
from veridict.services.network import shelf
from veridict.services.network.desk import sample
from veridict.services.network.learning import RETRAIN_DAYS, is_due, learn_all, record_of
from veridict.services.network.learning import retrain as run_retrain
from veridict.services.network.ledger import MonthSavings, savings_by_month
from veridict.services.network.views import FOLDER

_blocks_option = click.option(
    "--blocks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parquet file of blocks.  [two days of mainnet, shipped]",
)
_until_option = click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="Use only blocks before this day (UTC)."
)
_rows_option = click.option(
    "--rows", type=click.IntRange(min=1_000), default=200_000, show_default=True,
    help="Fit to so many of the blocks at most, evenly taken.",
)  # fmt: skip


@click.command()
@_blocks_option
@_until_option
@_rows_option
@home_option
@json_option
def learn(
    blocks: Path | None, until: datetime | None, rows: int, home: Path | None, as_json: bool
) -> None:
    """Learn fees and when to wait from blocks; a minute or two for the shipped sample."""
    table = _table(blocks, until)
    folder = settings_of(home).home / FOLDER
    with drawn(as_json) as progress:
        learned = learn_all(table, settings=Growing(rows=rows), progress=progress)
    shelf.save(folder, learned.models, learned.planner)
    ids = {h: m.compiled.model.id.hex() for h, m in sorted(learned.models.models.items())}
    if as_json:
        print_json(
            {
                "blocks": learned.blocks,
                "first": learned.models.first,
                "last": learned.models.last,
                "findings": dict(learned.findings),
                "models": {str(horizon): model_id for horizon, model_id in ids.items()},
                "waiting": learned.planner.compiled.model.id.hex(),
            }
        )
        return
    found = ", ".join(f"{count} × {code}" for code, count in sorted(learned.findings.items()))
    facts = [("blocks", f"{learned.blocks:,}"), ("findings", found or "none")]
    facts += [(f"{horizon} blocks ahead", model_id) for horizon, model_id in ids.items()]
    console.print(facts_table("learned", facts))


@click.command()
@_blocks_option
@_rows_option
@click.option(
    "--every", "days", type=click.FloatRange(min=0), default=RETRAIN_DAYS, show_default=True,
    metavar="DAYS", help="Not before the models are so old.",
)  # fmt: skip
@click.option("--log", "to_log", is_flag=True, help="Write it to the log of this home's node.")
@home_option
@json_option
def retrain(
    blocks: Path | None, rows: int, days: float, to_log: bool, home: Path | None, as_json: bool
) -> None:
    """Learn again if it is time, and keep the new models only where they are better.

    Old and new are tried on the file's last day, which the new ones have not seen.
    """
    table, settings = _table(blocks, None), settings_of(home)
    folder = settings.home / FOLDER
    models, _ = shelf.load(folder)
    if not is_due(models, int(table.number[-1]), days=days):
        _tell({"due": False, "adopted": False}, "the models are not old enough", as_json)
        return
    with drawn(as_json) as progress:
        done = run_retrain(models, table, settings=Growing(rows=rows), progress=progress)
    if done.adopted:
        shelf.save(folder, done.learned.models, done.learned.planner)
    if to_log:
        with open_node(settings) as node:
            node.append(record_of(done, wall_clock_ms()))
    facts = {
        "due": True,
        "adopted": done.adopted,
        "error_before": round(done.error_before, 5),
        "error_after": round(done.error_after, 5),
    }
    _tell(facts, done.sentence(), as_json)


@click.command()
@_blocks_option
@click.option("--within", "minutes", type=click.FloatRange(min=1), default=120, show_default=True)
@home_option
@json_option
def savings(blocks: Path | None, minutes: float, home: Path | None, as_json: bool) -> None:
    """What the planner would have saved on blocks that are known, month by month.

    Only blocks after those it learned from count, where there are any.
    """
    models, planner = shelf.load(settings_of(home).home / FOLDER)
    table, _ = clean(_table(blocks, None).blocks(), Intake(models.rule, models.block_time_s))
    features = FeeFeatures(models.rule, models.block_time_s).batch(table)
    bound = max(2, round(60 * minutes / models.block_time_s))
    later = int(np.searchsorted(table.number, models.last, side="right"))
    start = later if later < len(table) - bound else 0
    months = savings_by_month(table, features, planner, models.rule, bound=bound, start=start)
    if as_json:
        print_json([_row(month) for month in months])
        return
    for month in months:
        row = _row(month)
        facts = [(name.replace("_", " "), f"{row[name]:.1%}") for name in _SHARES]
        console.print(facts_table(f"{month.month}, {month.planner.batches:,} batches", facts))


_SHARES = ("threshold", "planner", "hindsight", "planner_of_hindsight")


def _row(month: MonthSavings) -> dict[str, float | str | int]:
    return {
        "month": month.month,
        "batches": month.planner.batches,
        "threshold": round(month.threshold.saved, 4),
        "planner": round(month.planner.saved, 4),
        "hindsight": round(month.planner.hindsight_saved, 4),
        "planner_of_hindsight": round(month.planner.of_hindsight, 4),
    }


def _tell(facts: dict[str, float | bool], sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        console.print(sentence)


def _table(blocks: Path | None, until: datetime | None) -> BlockTable:
    table = sample() if blocks is None else read_blocks(blocks)
    if until is not None:
        before = until.replace(tzinfo=UTC).timestamp()
        table = table.slice(0, int((table.time_s < before).sum()))
    if not len(table):
        raise BadInput("there are no blocks to use", remedy="pass a later day or another file")
    return table
