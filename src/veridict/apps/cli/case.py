"""`veridict case`: the queue of what was not allowed, and what people do with it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from veridict.apps.casework import work_of
from veridict.apps.cli.case_act import assign, confirm, note, release, revoke, suppress
from veridict.apps.cli.case_report import export
from veridict.apps.cli.case_staff import staff
from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.services.cases.book import STATUSES
from veridict.services.cases.desk import moment
from veridict.services.cases.report import amount
from veridict.services.cases.views import CaseView, LinksView, SuppressionView


@click.group()
def case() -> None:
    """Work on what was not allowed: queue, notes, decisions, reports.

    A case is named by the log index of its prediction. Each act is a record of the log.
    Where a node runs in this home it is asked, with the token in VERIDICT_TOKEN if it is set:
    a member of the staff acts in their own name.
    """


@case.command(name="list")
@click.option("--status", type=click.Choice([*STATUSES, "all"]), default="open", show_default=True)
@click.option("--newest", is_flag=True, help="Newest first, not by expected loss.")
@click.option("--with", "assigned", metavar="NAME", help="Those that NAME has; '' for nobody.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@node_options
def list_(
    status: str,
    newest: bool,
    assigned: str | None,
    limit: int,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """The queue, the largest expected loss first."""
    wanted = None if status == "all" else status
    with work_of(settings_of(home, rpc)) as work:
        found = work.cases(
            status=wanted, limit=limit, order="newest" if newest else "loss", assigned=assigned
        )
    if as_json:
        print_json(found)
        return
    table = Table(box=None, padding=(0, 2), title_justify="left")
    for head in ("case", "at stake", "decided", "with", "linked", "about"):
        table.add_column(head, overflow="fold")
    for view in found:
        table.add_row(
            str(view.row.index),
            amount(view.expected_loss_minor) if view.expected_loss_minor is not None else "–",
            view.decision if view.status == "open" else f"{view.decision}, {view.status}",
            view.assigned or "–",
            str(view.linked),
            Text(view.row.summary or view.row.request_id),
        )
    console.print(table)


@case.command()
@click.argument("index", type=click.IntRange(min=0))
@node_options
def show(index: int, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """One case: why it waits, and what was done."""
    with work_of(settings_of(home, rpc)) as work:
        view = work.case(index)
    if as_json:
        print_json(view)
    else:
        _print(view)


@case.command()
@click.argument("index", type=click.IntRange(min=0))
@node_options
def links(index: int, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """What hangs together with a case: shared accounts and devices, its group, its ring."""
    with work_of(settings_of(home, rpc)) as work:
        found = work.links(index)
    if as_json:
        print_json(found)
    else:
        _print_links(found)


@case.command()
@node_options
def suppressions(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """What cleared cases stop, newest first."""
    with work_of(settings_of(home, rpc)) as work:
        found = work.suppressions()
    if as_json:
        print_json(found)
        return
    for one in found:
        console.print(Text(_suppression(one)), soft_wrap=True)
    console.print(f"{len(found)} suppressions", style="dim")


def _print(view: CaseView) -> None:
    row = view.row
    facts: list[tuple[str, object]] = [
        ("status", f"{view.status}, with {view.assigned}" if view.assigned else view.status),
        ("decision", f"{view.decision}, probability {row.probability:.4f}"),
        ("about", row.summary or row.request_id),
        ("subject", row.subject or "–"),
        ("amount", amount(view.amount_minor)),
        ("expected loss", amount(view.expected_loss_minor)),
        ("logged", moment(row.time_ms)),
        ("linked cases", view.linked),
    ]
    if view.payment_id is not None:
        facts.append(("payment in the guard", view.payment_id))
    if view.stopped_by is not None:
        facts.append(("stopped by", f"suppression {view.stopped_by}"))
    facts += [("reason", reason.text) for reason in row.reasons]
    facts += [("detector", alert) for alert in view.alerts]
    console.print(facts_table(f"case {row.index}", facts))
    done = [(a.index, a.act, a.by, a.note) for a in view.acts]
    done += [(s.index, f"{s.step} {s.to}".strip(), s.by, s.note) for s in view.steps]
    for at, what, by, text in sorted(done):
        console.print(Text(f"  #{at}  {what} by {by}" + (f": {text}" if text else "")))


def _print_links(found: LinksView) -> None:
    console.print(f"{len(found.cases) - 1} linked cases")
    for tie in found.ties:
        others = ", ".join(f"#{at}" for at in tie.cases if at != found.index)
        console.print(Text(f"  {tie.what} {tie.which}: {others}"), soft_wrap=True)
    if found.ring:
        console.print(Text(f"ring: {' → '.join([*found.ring, found.ring[0]])}"), soft_wrap=True)


def _suppression(one: SuppressionView) -> str:
    limit = "" if one.up_to_minor is None else f" up to {amount(one.up_to_minor)}"
    return (
        f"#{one.index}  {one.state}  {one.payer} → {one.payee}{limit}, {one.reason}, until "
        f"{moment(one.until_ms)}, {len(one.stopped)} of {one.most} stopped; case {one.case}, "
        f"by {one.by}"
    )


for command in (assign, note, release, confirm, suppress, revoke, export, staff):
    case.add_command(command)
