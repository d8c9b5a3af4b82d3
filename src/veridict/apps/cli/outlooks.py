"""How outlooks are drawn in a terminal, for `backtest`, `pilot` and `challenger`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Column, Table

from veridict.apps.cli.render import console
from veridict.watch.outlook import Comparison, Estimate, Outlook


def percent(estimate: Estimate) -> str:
    return _shown(estimate, "{:.1%}")


def number(estimate: Estimate) -> str:
    return _shown(estimate, "{:,.1f}")


def money(minor: int) -> str:
    return f"{minor / 100:,.2f}"


def show_outlooks(outlooks: Sequence[Outlook], title: str) -> None:
    """One column an outlook; intervals hold the figure with 95 %."""
    table = Table(Column("", no_wrap=True), *(o.name for o in outlooks), title=title)
    lines: tuple[tuple[str, Callable[[Outlook], str]], ...] = (
        ("rows", lambda o: f"{o.rows:,}"),
        ("of them with a label, events", lambda o: f"{o.known:,}, {o.events:,}"),
        ("review or hold", lambda o: f"{o.flagged:,} ({o.held:,} held)"),
        ("cases a day", lambda o: number(o.per_day)),
        ("precision", lambda o: percent(o.precision)),
        ("recall", lambda o: percent(o.recall)),
        ("money of events caught", lambda o: money(o.caught_minor)),
        ("money of events missed", lambda o: money(o.missed_minor)),
        ("honest money that waited", lambda o: money(o.disturbed_minor)),
        ("money held", lambda o: money(o.held_minor)),
        ("cost a day, in looks", lambda o: number(o.cost_per_day)),
        ("top reasons", lambda o: "\n".join(f"{name} ({n:,})" for name, n in o.causes) or "none"),
    )
    for name, told in lines:
        table.add_row(name, *(told(o) for o in outlooks))
    console.print(table)


def show_comparison(found: Comparison) -> None:
    show_outlooks((found.first, found.second), "beside each other, on the same rows")
    table = Table("", f"{found.second.name} has more by")
    table.add_row("cases a day", number(found.per_day))
    table.add_row("precision", percent(found.precision))
    table.add_row("recall", percent(found.recall))
    table.add_row("cost a day, in looks", number(found.cost_per_day))
    console.print(table)
    console.print(
        f"both flag {found.both_flagged:,} rows, only {found.first.name} {found.only_first:,}, "
        f"only {found.second.name} {found.only_second:,}"
    )


def _shown(estimate: Estimate, form: str) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return form.format(estimate.value)
    return " ".join(
        (
            form.format(estimate.value),
            f"({form.format(estimate.low)} … {form.format(estimate.high)})",
        )
    )
