"""`veridict log find`: records by what people know of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.table import Table

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.trust import open_log
from veridict.core.errors import BadInput
from veridict.ledger.lookup import Query
from veridict.services.looking import found_views
from veridict.services.views import FoundView

DAY_MS = 24 * 3600 * 1000
HASH_BYTES = 32


@click.command("find")
@click.option("--record", metavar="HASH", help="Its leaf hash, 64 hex digits.")
@click.option("--request", metavar="ID", help="The id of the request it decided.")
@click.option("--subject", metavar="NAME", help="Whose data it is about.")
@click.option("--model", metavar="ID", help="The model that predicted, 64 hex digits.")
@click.option("--from", "since", metavar="TIME", help="Logged at or after: 2026-01-31[T12:00].")
@click.option("--to", "until", metavar="TIME", help="Logged at or before; a day counts whole.")
@click.option("--sequence", metavar="N[..M]", help="The issuer's number of the prediction.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--newest", is_flag=True, help="The last ones first.")
@click.option("--scan", is_flag=True, help="Search the log itself, not its index. Slow.")
@home_option
@json_option
def find(
    record: str | None,
    request: str | None,
    subject: str | None,
    model: str | None,
    since: str | None,
    until: str | None,
    sequence: str | None,
    limit: int,
    newest: bool,
    scan: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Find the records that fit all that is given; without any option, the first ones.

    The index only proposes: every record shown was read from the log and fits. Times are UTC.
    """
    query = Query(
        leaf=None if record is None else _hash(record),
        request=request,
        subject=subject,
        model=None if model is None else _hash(model),
        times=_times(since, until),
        sequences=None if sequence is None else _sequences(sequence),
    )
    with open_log(settings_of(home), sealed=True) as opened:
        indices = opened.find(query, most=limit, newest=newest, scan=scan)
        found = found_views(opened, indices)
    if as_json:
        print_json(found)
    else:
        _draw(found, limit)


def _draw(found: list[FoundView], limit: int) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("record", justify="right")
    for title in ("kind", "logged at", "number", "decision", "request", "subject", "leaf hash"):
        table.add_column(title, overflow="fold")
    for row in found:
        gone = None if row.erased_by is None else f"erased by record #{row.erased_by}"
        table.add_row(
            str(row.index),
            row.kind,
            "" if row.time_ms is None else _moment(row.time_ms),
            "" if row.sequence is None else str(row.sequence),
            row.decision or "",
            gone or row.request_id or "",
            row.subject or "",
            row.leaf,
        )
    console.print(table)
    more = "; there may be more: see --limit" if len(found) == limit else ""
    console.print(f"{len(found):,} found{more}", style="dim")


def _hash(text: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != HASH_BYTES:
        raise BadInput(f"{text[:80]!r} is no hash", remedy="pass 64 hex digits")
    return data


def _sequences(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    if not first.isdecimal() or (dots and not last.isdecimal()):
        raise BadInput(f"{text[:80]!r} is no number or span", remedy="write 17 or 17..20")
    return int(first), int(last or first)


def _times(since: str | None, until: str | None) -> tuple[int, int] | None:
    if since is None and until is None:
        return None
    start = 0 if since is None else _time_ms(since)
    if until is None:
        return start, 2**63 - 1
    whole_day = DAY_MS - 1 if len(until) == len("2026-01-31") else 0
    return start, _time_ms(until) + whole_day


def _time_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{text[:80]!r} is no time", remedy="write 2026-01-31 or 2026-01-31T12:00:00"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def _moment(time_ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(time_ms)
