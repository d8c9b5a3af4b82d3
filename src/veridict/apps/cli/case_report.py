"""`veridict case export`: a report to hand on, with what proves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from veridict.apps.casework import work_of
from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.core.errors import StorageFailed


@click.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="The folder to write to; made if it is not there.",
)  # fmt: skip
@click.option("--redact", is_flag=True, help="Name nobody, open no commitment.")
@click.option("--by", default="", help="Who exports.  [whose token VERIDICT_TOKEN is]")
@click.option("--note", default="", help="For whom, or why. Kept sealed.")
@node_options
def export(
    index: int,
    folder: Path,
    redact: bool,
    by: str,
    note: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Write a report on case INDEX: report.html to print, report.json, and receipts.

    `veridict verify` checks each receipt. That the report was made is a record of the log, which
    commits to the SHA-256 of report.json. With --redact there are no receipts: they name people.
    """
    with work_of(settings_of(home, rpc)) as work:
        done = work.export(index, by=by, note=note, redacted=redact)
    report: dict[str, Any] = msgspec.json.decode(done.json)
    proven = [one for one in report["evidence"] if one["receipt"]]
    files = {"report.html": done.page.encode(), "report.json": done.json.encode()}
    for one in proven:
        receipt = msgspec.json.format(msgspec.json.encode(one["receipt"]), indent=2)
        files[f"receipts/receipt-{one['index']}.json"] = receipt
    _write(folder, files)
    facts = {
        "folder": str(folder),
        "record": done.index,
        "sha256": done.sha256,
        "receipts": len(proven),
        "redacted": redact,
    }
    if as_json:
        print_json(facts)
        return
    console.print(f"{folder}: report.html, report.json, {len(proven)} receipts", soft_wrap=True)
    console.print(f"noted as record #{done.index}; report.json is {done.sha256}", soft_wrap=True)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    except OSError as problem:
        raise StorageFailed(
            f"{folder} cannot be written: {problem.strerror}", remedy="choose another --to"
        ) from problem
