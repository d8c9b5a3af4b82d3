"""`veridict outcomes`: how payments ended, told when it is known."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.wire import open_node
from veridict.core.errors import BadStream

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option("--id", "id_column", default="id", show_default=True, help="The column of ids.")
@click.option("--label", "label_column", default="label", show_default=True,
              help="The column of labels: 1 for the event, 0 for none.")  # fmt: skip
@node_options
def outcomes(
    file: Path, id_column: str, label_column: str, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Log the labels in FILE (CSV) of rows that this node predicted.

    They judge what was predicted, count as features for what is decided from now on, and are
    what `veridict challenger train` learns from. What was told before is left out.
    """
    from veridict.services.telling import tell

    labels = _read(file, id_column, label_column)
    with open_node(settings_of(home, rpc)) as node:
        told = tell(node, labels)
    if as_json:
        print_json(asdict(told))
        return
    console.print(
        f"{told.events:,} events and {told.others:,} others are logged; {told.before:,} were known "
        f"before, {told.unknown:,} are no predictions of this node"
    )


def _read(file: Path, id_column: str, label_column: str) -> list[tuple[str, int]]:
    found = []
    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = csv.DictReader(opened)
        for name in (id_column, label_column):
            if name not in (rows.fieldnames or ()):
                raise BadStream(
                    f"{file.name} has no column {name!r}",
                    remedy="name it with --id or --label",
                    file=file.name,
                )
        for number, row in enumerate(rows, start=1):
            label = row[label_column]
            if label == "":
                continue  # not known yet
            if label not in ("0", "1"):
                raise BadStream(
                    f"{file.name}, row {number}: {label!r} is no label",
                    remedy="use 1 for the event, 0 for none, nothing for unknown",
                    file=file.name,
                    row=number,
                )
            found.append((row[id_column], int(label)))
    return found
