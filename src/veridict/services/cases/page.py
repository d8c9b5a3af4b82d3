"""A report as one HTML file to print: no script, nothing fetched, every name is text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from veridict.services.cases.desk import moment
from veridict.services.cases.report import Evidence, Report, Transaction, amount
from veridict.services.cases.svg import drawing

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LONG = re.compile(r"(?:0x)?[0-9a-fA-F]{16,}")


def page(report: Report, *, tokens: str, seal: str) -> str:
    """`tokens` is the dashboard's style sheet of colours, `seal` its SVG."""
    style = tokens + files(__package__).joinpath("page.css").read_text()
    digest = sha256(report.to_json()).hexdigest()
    kind = "redacted" if report.redacted else "personal data: hand it to nobody else"
    told = "".join(f"<p>{_text(line)}</p>" for line in report.narrative)
    facts = [
        ("subject", report.subject),
        ("case", f"record {report.case} of the log {report.origin}"),
        ("standing", f"{report.status}; the decision was {report.decision}"),
        ("amount", amount(report.amount_minor)),
        ("expected loss", amount(report.expected_loss_minor)),
        ("model", report.model_id),
        ("chain", str(report.chain_id)),
        ("log key", report.verifier_key),
        ("made at", moment(report.made_at_ms)),
        ("SHA-256 of report.json", digest),
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Report on case {report.case}</title>
<style>{style}</style>
</head>
<body>
<main>
<header class="head">{seal}<h1>Report on case {report.case}</h1><p>{kind}</p></header>
<section class="panel">{_facts(facts)}</section>
<section><h2>What happened</h2>{told}</section>
<section><h2>Why it was not allowed</h2>{_list(report.reasons)}</section>
<section><h2>How it hangs together</h2>{drawing(report)}{_list(report.ties)}</section>
<section><h2>Payments</h2>{_payments(report.transactions)}</section>
<section><h2>What persons did</h2>{_acts(report)}</section>
<section><h2>Evidence</h2>{_evidence(report.evidence)}{_how(report)}</section>
</main>
</body>
</html>
"""


def _payments(payments: Iterable[Transaction]) -> str:
    rows = [
        (
            f"#{payment.index}",
            moment(payment.time_s * 1000)[:16],
            payment.payer,
            payment.payee,
            amount(payment.amount_minor),
            f"{payment.decision}, {payment.probability}",
            payment.status + (", in the ring" if payment.in_ring else ""),
        )
        for payment in payments
    ]
    return _table(("record", "time (UTC)", "from", "to", "amount", "decided", "case"), rows)


def _acts(report: Report) -> str:
    rows = [
        (
            f"#{done.index}",
            moment(done.time_ms),
            done.by,
            f"{done.what} to {done.to}" if done.to else done.what,
            done.note,
        )
        for done in report.acts
    ]
    return _table(("record", "time", "who", "what", "note"), rows)


def _evidence(evidence: Iterable[Evidence]) -> str:
    rows = [
        (f"#{one.index}", one.leaf, one.state, "yes" if one.receipt else "no") for one in evidence
    ]
    return _table(("record", "leaf hash", "state", "receipt here"), rows)


def _how(report: Report) -> str:
    if report.redacted:
        return (
            "<p>A receipt opens what a record commits to, so a redacted report has none. Ask "
            "the log's keeper for that of a record named here; its leaf hash must be this one.</p>"
        )
    return (
        "<p>Each receipt proves that the model named above gave this decision on this payment, "
        "then, and checks with the chain alone: <code>veridict verify RECEIPT --rpc URL</code></p>"
    )


def _facts(told: Sequence[tuple[str, str]]) -> str:
    lines = [f"<div><dt>{label}</dt><dd>{_text(value)}</dd></div>" for label, value in told]
    return f'<dl class="facts">{"".join(lines)}</dl>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>Nothing.</p>"
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    head_row, body = f"<thead><tr>{names}</tr></thead>", f"<tbody>{lines}</tbody>"
    return f'<div class="wide"><table>{head_row}{body}</table></div>'


def _list(items: Sequence[str]) -> str:
    lines = "".join(f"<li>{_text(item)}</li>" for item in items)
    return f'<ul class="list">{lines}</ul>' if lines else ""


def _text(told: str) -> str:
    """Digests and addresses in letters of one width."""
    return _LONG.sub(lambda found: f"<code>{found[0]}</code>", escape(told))
