"""`veridict audit export` and `veridict audit verify`: a log in one file, for a stranger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from veridict.apps.cli.log import trust_options
from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, drawn, print_json
from veridict.apps.packs import brought, look, open_exhibit
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import EvidenceError, StorageFailed
from veridict.services.pack.answers import Answer, Standing
from veridict.services.pack.page import page as as_page
from veridict.services.pack.reading import Pack
from veridict.services.pack.telling import as_dict
from veridict.services.pack.verifying import Report, verify_pack
from veridict.services.pack.writing import export as run_export
from veridict.watch.mapping import parse_mapping

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
IN_PART_STATUS = 5
STATUS = {
    Standing.HOLDS: 0,
    Standing.IN_PART: IN_PART_STATUS,
    Standing.FAILS: EvidenceError.exit_status,
}
MARKS = {
    Standing.HOLDS: ("✓", "green"),
    Standing.IN_PART: ("◐", "yellow"),
    Standing.OPEN: ("○", "yellow"),
    Standing.FAILS: ("✗", "bold red"),
}


@click.command()
@click.option("-o", "--output", type=_OUT, default=Path("audit.pack.zip"), show_default=True,
              help="The file to write.")  # fmt: skip
@click.option("--from", "first", type=click.IntRange(min=0), default=0, metavar="INDEX",
              help="Open the payloads of records from here on.  [the first]")  # fmt: skip
@click.option("--to", "stop", type=click.IntRange(min=0), metavar="INDEX",
              help="Open them up to here, not included.  [the last]")  # fmt: skip
@home_option
@json_option
def export(output: Path, first: int, stop: int | None, home: Path | None, as_json: bool) -> None:
    """Write the log, its models and what opens its commitments into one file.

    The same log gives the same bytes. Every record is in it up to the last checkpoint, because
    records name nobody; payloads are personal, and outside of --from and --to they stay here.
    Works beside a running node, and needs no chain.
    """
    with open_exhibit(settings_of(home)) as exhibit, drawn(as_json) as progress:
        done = run_export(exhibit, output, first=first, stop=stop, progress=progress)
    if as_json:
        print_json({**asdict(done), "path": str(done.path)})
        return
    console.print(
        f"{done.path}: {done.size:,} records, {done.bytes:,} bytes, SHA-256 {done.sha256}",
        soft_wrap=True,
    )
    console.print(
        f"payloads of records {done.opened[0]:,} to {done.opened[1] - 1:,} are open: "
        "the file is personal data",
        style="dim",
    )
    if done.behind:
        console.print(
            f"{done.behind:,} records behind the last checkpoint are not in it; "
            "`veridict chain anchor` first, to have them in",
            style="dim",
        )


@click.command()
@click.argument("pack", type=_FILE)
@click.option("--rpc", "rpcs", metavar="URL", multiple=True,
              help="JSON-RPC of a chain, or of several; offline without.")  # fmt: skip
@click.option("--earlier", is_flag=True,
              help="The pack is of a while ago: later anchors do not count.")  # fmt: skip
@trust_options
@click.option("--operator", metavar="ADDRESS", help="Whose log this must be.")
@click.option("--known", type=_FILE, multiple=True,
              help="A checkpoint seen elsewhere, which this log must extend.")  # fmt: skip
@click.option("--stream", type=_FILE, help="The rows decided.  [those that ship]")
@click.option("--map", "mapping", metavar="NAME=COLUMN,…", default="",
              help="The file's columns: id, time, payer, payee, amount, label.")  # fmt: skip
@click.option("--croissant", type=_FILE, help="The file's description, where the card names one.")
@click.option("--page", type=_OUT, metavar="FILE", help="Also write the answers as an HTML page.")
@json_option
def verify(
    pack: Path,
    rpcs: tuple[str, ...],
    earlier: bool,
    vkeys: tuple[str, ...],
    policy: Path | None,
    operator: str | None,
    known: tuple[Path, ...],
    stream: Path | None,
    mapping: str,
    croissant: Path | None,
    page: Path | None,
    as_json: bool,
) -> int:
    """Answer the ten questions of an auditor from PACK, without the node and its keeper.

    Nothing is believed because the pack says it: give the log's key with --vkey, the operator's
    address, the chain, the rows. What you do not give is not asked, and the answer says so.
    Exit status 0 if everything holds, 4 if anything is found, 5 if nothing is wrong and not
    everything could be asked.
    """
    with (
        Pack(pack) as opened,
        brought(
            opened,
            settings_of(None),
            rpcs=rpcs,
            earlier=earlier,
            vkeys=vkeys,
            operator=operator,
            policy=policy,
            known=known,
            stream=stream,
            mapping=parse_mapping(mapping),
            croissant=None if croissant is None else croissant.read_bytes(),
        ) as given,
        drawn(as_json) as progress,
    ):
        report = verify_pack(opened, given, progress)
    if page is not None:
        _write_page(page, report)
    if as_json:
        print_json(as_dict(report))
    else:
        _print(report)
    return STATUS[report.standing]


def _print(report: Report) -> None:
    for answer in report.answers:
        _print_answer(answer)
    mark, style = MARKS[report.standing]
    words = {
        Standing.HOLDS: "everything holds",
        Standing.IN_PART: "nothing is wrong; what is marked ? could not be asked",
        Standing.FAILS: "this does not hold",
    }
    console.print(Text(f"{mark} {words[report.standing]}", style=style))


def _print_answer(answer: Answer) -> None:
    mark, style = MARKS[answer.standing]
    line = Text(f" {mark} ", style=style)
    line.append(f"{answer.number:>2}  {answer.question}", style="bold")
    line.append(f"  {answer.standing.value}", style=style)
    console.print(line)
    for finding in answer.findings:
        console.print(Text(f"       ✗ {finding.sentence()}", style="red"), soft_wrap=True)
    for told in answer.evidence:
        row = Text(f"       {told.label}: ", style="dim")
        row.append(told.value, style="default")
        console.print(row, soft_wrap=True)
    for unasked in answer.unasked:
        console.print(Text(f"       ? {unasked}", style="yellow"), soft_wrap=True)


def _write_page(path: Path, report: Report) -> None:
    tokens, seal = look()
    told_at = f"{datetime.fromtimestamp(wall_clock_ms() // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    try:
        path.write_text(as_page(report, tokens=tokens, seal=seal, told_at=told_at))
    except OSError as problem:
        raise StorageFailed(
            f"{path} cannot be written: {problem.strerror}", remedy="choose another --page"
        ) from problem
