"""A report's payments as a drawing, in SVG that needs neither script nor style from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from veridict.services.cases.drawing import Place, places
from veridict.services.cases.report import Report, Transaction
from veridict.services.cases.ring import Edge, Graph

WIDE, HIGH = 760, 520
DOT = 9  # pixels: the radius of an account
LABEL = 22  # characters


def drawing(report: Report) -> str:
    """All accounts and payments of `report`; "" where there are none to draw."""
    drawn = [payment for payment in report.transactions if payment.payee]
    if not drawn:
        return ""
    edges = _edges(drawn)
    accounts = dict.fromkeys([a for pair in edges for a in pair])
    graph = Graph(tuple(accounts), tuple(e for e, _ in edges.values()), tuple(report.ring), 0)
    standing = {name: (x * WIDE, y * HIGH) for name, (x, y) in places(graph).items()}
    lines = [_line(edge, status, standing) for edge, status in edges.values()]
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}" class="{_kind(name, report)}"/>'
        f'<text x="{x:.1f}" y="{y + DOT + 14:.1f}">{escape(_short(name))}</text>'
        for name, (x, y) in standing.items()
    ]
    told = f"{len(accounts)} accounts and {len(drawn)} payments"
    return (
        f'<svg class="graph" viewBox="-60 -16 {WIDE + 120} {HIGH + 40}" role="img" '
        f'aria-label="{told}; the table below tells the same">{"".join(lines)}{"".join(dots)}</svg>'
    )


def _edges(drawn: Sequence[Transaction]) -> dict[tuple[str, str], tuple[Edge, str]]:
    edges: dict[tuple[str, str], tuple[Edge, str]] = {}
    for payment in drawn:
        pair = payment.payer, payment.payee
        edge, status = edges.get(pair, (Edge(*pair), payment.status))
        edge.payments.append(payment.index)
        edges[pair] = edge, "ring" if payment.in_ring else status
    return edges


def _line(edge: Edge, status: str, standing: dict[str, Place]) -> str:
    """From rim to rim, with a head at the payee's."""
    (x1, y1), (x2, y2) = standing[edge.payer], standing[edge.payee]
    length = max(1.0, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    x1, y1, x2, y2 = x1 + dx * DOT, y1 + dy * DOT, x2 - dx * (DOT + 3), y2 - dy * (DOT + 3)
    head = " ".join(
        f"{x:.1f},{y:.1f}"
        for x, y in (
            (x2, y2),
            (x2 - 9 * dx + 4.5 * dy, y2 - 9 * dy - 4.5 * dx),
            (x2 - 9 * dx - 4.5 * dy, y2 - 9 * dy + 4.5 * dx),
        )
    )
    kind = f"edge is-{status}"
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
        f'<polygon points="{head}" class="{kind}"/>'
    )


def _kind(name: str, report: Report) -> str:
    if name == report.subject:
        return "account is-named"
    return "account is-ring" if name in report.ring else "account"


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[:12]}…{name[-6:]}"
