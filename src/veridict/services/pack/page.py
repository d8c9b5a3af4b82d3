"""A report as one HTML file: no script, nothing fetched, whatever a hostile pack says is text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from veridict.core.nouns import Finding
from veridict.services.pack.answers import Answer, Standing, Told
from veridict.services.pack.verifying import Report

CLASSES = {
    Standing.HOLDS: "is-holds",
    Standing.IN_PART: "is-part",
    Standing.OPEN: "is-open",
    Standing.FAILS: "is-fails",
}
# One line each for the ten of the row; the question itself stands below.
NAMES = (
    "which model", "which data", "no look-ahead", "same again", "before the outcome",
    "nothing left out", "measures", "who allowed", "authentic", "bodies",
)  # fmt: skip
HEADLINES = {
    Standing.HOLDS: ("Everything holds", "All ten questions are answered, and nothing is wrong."),
    Standing.IN_PART: (
        "Nothing is wrong, not everything could be asked",
        "What was not asked is named under each question, with what would answer it.",
    ),
    Standing.FAILS: (
        "This does not hold",
        "At least one question has a finding: what was expected, and what was found instead.",
    ),
}
_MARKS = {
    Standing.HOLDS: '<path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z"/>'
    '<path d="m8 12.2 2.8 2.8L16 9.5"/>',
    Standing.IN_PART: '<path d="M12 3 21.5 12 12 21 2.5 12z"/><path d="M12 8v4.5M12 15.7v.1"/>',
    Standing.FAILS: '<path d="M8 3.5h8l4.5 4.5v8L16 20.5H8L3.5 16V8z"/>'
    '<path d="m9 9 6 6M15 9l-6 6"/>',
}
_LONG = re.compile(r"(?:0x)?[0-9a-fA-F]{16,}…?|[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report, *, tokens: str, seal: str, told_at: str) -> str:
    """`tokens` is the dashboard's style sheet of colours, `seal` its SVG, `told_at` a date."""
    about, answers = report.about, report.examination.answers
    style = tokens + files(__package__).joinpath("page.css").read_text()
    headline, meaning = HEADLINES[report.standing]
    facts = [
        Told("pack", f"SHA-256 {report.sha256}"),
        Told("log", f"{about.origin}, {about.size:,} records"),
        Told("operator", about.operator),
        Told("chain", f"{about.home.chain_id}, registry {about.home.registry}"),
        Told("open payloads", _range(about.opened)),
        Told("examined", told_at),
    ]
    row = "".join(
        f'<li class="{CLASSES[a.standing]}"><a href="#q{a.number}">'
        f'<span class="disc">{a.number}</span>{name}</a></li>'
        for a, name in zip(answers, NAMES, strict=True)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Audit of {escape(about.origin)}: {escape(headline.lower())}</title>
<style>{style}</style>
</head>
<body>
<main>
<header class="head">{seal}<h1>Audit report</h1><p>{escape(about.origin)}</p></header>
<section class="verdict {CLASSES[report.standing]}">
<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">{_MARKS[report.standing]}</svg>
<div><strong>{escape(headline)}</strong>{escape(meaning)}</div>
</section>
<section class="panel">{_facts(facts)}</section>
<ol class="ten">{row}</ol>
{"".join(_answer(answer) for answer in report.answers)}
<footer class="foot">
<p>A finding is a stable code, a place, what was expected and what was found. “In part” means
that nothing is wrong, and that something could not be asked of what was given.</p>
<p>Anyone can make this page again: <code>veridict audit verify PACK --page FILE</code></p>
</footer>
</main>
</body>
</html>
"""


def _answer(answer: Answer) -> str:
    kind = CLASSES[answer.standing]
    number = str(answer.number) if answer.number else "·"
    return f"""<section class="answer {kind}" id="q{answer.number}">
<span class="disc">{number}</span><h2>{escape(answer.question)}</h2>
<span class="badge">{answer.standing.value}</span>
<div>{_list("is-fails", map(_finding, answer.findings))}{_facts(answer.evidence)}\
{_list("is-part", map(_text, answer.unasked))}</div>
</section>
"""


def _finding(finding: Finding) -> str:
    return (
        f"<b>{escape(finding.code)}</b> at {_text(finding.where)}"
        f"<span>expected {_text(finding.expected)}</span>"
        f"<span>found {_text(finding.found)}</span>"
    )


def _facts(told: Iterable[Told]) -> str:
    lines = [
        f"<div><dt>{_text(line.label)}</dt><dd>{_text(line.value)}</dd></div>" for line in told
    ]
    return f'<dl class="facts">{"".join(lines)}</dl>' if lines else ""


def _text(told: str) -> str:
    """Digests, addresses and keys in letters of one width."""
    return _LONG.sub(lambda found: f"<code>{found[0]}</code>", escape(told))


def _list(kind: str, items: Iterable[str]) -> str:
    lines = [f"<li>{item}</li>" for item in items]
    return f'<ul class="list {kind}">{"".join(lines)}</ul>' if lines else ""


def _range(opened: tuple[int, int]) -> str:
    first, stop = opened
    return f"of records {first:,} to {stop - 1:,}" if stop > first else "none"
