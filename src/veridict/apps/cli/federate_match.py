"""`veridict federate match`: which identifiers two parties have in common, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import json_option
from veridict.apps.cli.render import print_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIR = click.Path(file_okay=False, path_type=Path)


@click.group()
def match() -> None:
    """Find the identifiers that two parties have in common, and show no other.

    \b
    Both do the same, and send the other one file each time, by whatever way:
    match offer IDS.csv --column id --name "what we agreed on"    → matching/offer
    match answer THEIR_OFFER                                      → matching/answer
    match result THEIR_ANSWER                                     → the common ones
    """


@match.command()
@click.argument("table", type=_FILE)
@click.option("--column", required=True, help="The identifiers; each row's, as text.")
@click.option("--name", required=True, help="What both agreed on: purpose and date, say.")
@click.option("--folder", type=_DIR, default="matching", show_default=True)
@json_option
def offer(table: Path, column: str, name: str, folder: Path, as_json: bool) -> None:
    """Write the TABLE's identifiers as points that only this party's secret could undo."""
    from veridict.apps.federating.pairing import begin

    count, path = begin(table, column, name, folder)
    _tell(as_json, {"identifiers": count, "send": str(path)})


@match.command()
@click.argument("offer", type=_FILE)
@click.option("--most", type=int, help="Identifiers that the other may bring.  [10 million]")
@click.option("--folder", type=_DIR, default="matching", show_default=True)
@json_option
def answer(offer: Path, most: int | None, folder: Path, as_json: bool) -> None:
    """Answer the other party's OFFER."""
    from veridict.apps.federating.pairing import reply

    count, path = reply(offer, folder, most)
    _tell(as_json, {"theirs": count, "send": str(path)})


@match.command()
@click.argument("answer", type=_FILE)
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--folder", type=_DIR, default="matching", show_default=True)
@json_option
def result(answer: Path, out: Path | None, folder: Path, as_json: bool) -> None:
    """Read the common identifiers from the other party's ANSWER to this one's offer."""
    from veridict.apps.federating.pairing import finish

    common = finish(answer, folder)
    if out is not None:
        out.write_text("".join(f"{each}\n" for each in common))
    _tell(as_json, {"common": len(common), "file": str(out) if out else None})
    if out is None and not as_json:
        for each in common:
            click.echo(each)


def _tell(as_json: bool, facts: dict[str, object]) -> None:
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name:<12} {value}")
