"""A pilot's outlook as one page of HTML that needs nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from veridict.watch.outlook import Estimate, Outlook

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b2430;background:#fff}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d8dee6;"
    "vertical-align:top}th{font-weight:600}small{color:#5a6675}"
)


def page(found: Outlook, *, title: str, notes: tuple[str, ...], from_s: int, to_s: int) -> str:
    """`notes`: what a reader must know of the data. Everything is escaped."""
    lines = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>\n"
        for name, value in facts(found)
    )
    causes = "".join(f"<li>{escape(name)}: {n:,}</li>" for name, n in found.causes)
    told = "".join(f"<p><small>{escape(note)}</small></p>" for note in notes)
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        "<meta name=viewport content='width=device-width'>"
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        f"<p>What would have been done from {_day(from_s)} to {_day(to_s)}. Nothing was: "
        "a pilot acts on nothing.</p>\n"
        f"<table>\n{lines}</table>\n<h2>What moved the decisions most</h2>\n<ol>{causes}</ol>\n"
        f"{told}\n</html>\n"
    )


def facts(found: Outlook) -> list[tuple[str, str]]:
    """Name and value of each line, as text."""
    return [
        ("rows seen", f"{found.rows:,} in {found.days:,.0f} days"),
        ("rows with a label, events", f"{found.known:,}, {found.events:,}"),
        ("would have been reviewed or held", f"{found.flagged:,} ({found.held:,} held)"),
        ("cases a day", _shown(found.per_day, "{:,.1f}")),
        ("precision", _shown(found.precision, "{:.1%}")),
        ("recall", _shown(found.recall, "{:.1%}")),
        ("money of events caught", f"{found.caught_minor / 100:,.2f}"),
        ("money of events missed", f"{found.missed_minor / 100:,.2f}"),
        ("honest money that would have waited", f"{found.disturbed_minor / 100:,.2f}"),
        ("money that would have been held", f"{found.held_minor / 100:,.2f}"),
        ("cost a day, in looks by a person", _shown(found.cost_per_day, "{:,.1f}")),
    ]


def _shown(estimate: Estimate, form: str) -> str:
    if estimate.value is None:
        return "unknown: no labels"
    value = form.format(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    low, high = form.format(estimate.low), form.format(estimate.high)
    return f"{value} (95 %: {low} to {high})"


def _day(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}"
