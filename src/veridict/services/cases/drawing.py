"""Where the accounts of a graph stand on a page: the same places on the screen and on paper.

A ring stands on a circle of its own; what hangs on it stands outside, close to what it is tied
to. Without a ring all stand on one circle, in the order in which the graph names them. Pure.
"""

from __future__ import annotations

import math

from veridict.services.cases.ring import Graph

INNER, OUTER, WHOLE = 0.26, 0.45, 0.42  # radii; the page is one wide and high, its middle at 0.5

Place = tuple[float, float]


def places(graph: Graph) -> dict[str, Place]:
    """Account → (x, y), each from 0 to 1."""
    ring = list(graph.ring)
    if len(graph.accounts) == 2:
        return dict(zip(graph.accounts, ((0.2, 0.5), (0.8, 0.5)), strict=True))
    if not ring:
        return _circle(list(graph.accounts), WHOLE)
    inside = _circle(ring, INNER)
    hanging = [account for account in graph.accounts if account not in inside]
    angles = {
        account: _angle(inside.get(_neighbour(graph, account, inside))) for account in hanging
    }
    outside = sorted(hanging, key=lambda account: (angles[account], account))
    # turned by half a step of the ring, so that its accounts hide none behind them
    return inside | _circle(outside, OUTER, math.pi / len(ring))


def _circle(accounts: list[str], radius: float, turned: float = 0.0) -> dict[str, Place]:
    """Evenly, clockwise from `turned` (radians) after the top."""
    step = 2 * math.pi / max(1, len(accounts))
    angles = [turned + n * step for n in range(len(accounts))]
    return {
        account: (0.5 + radius * math.sin(angle), 0.5 - radius * math.cos(angle))
        for account, angle in zip(accounts, angles, strict=True)
    }


def _neighbour(graph: Graph, account: str, inside: dict[str, Place]) -> str:
    for edge in graph.edges:
        if edge.payer == account and edge.payee in inside:
            return edge.payee
        if edge.payee == account and edge.payer in inside:
            return edge.payer
    return ""


def _angle(place: Place | None) -> float:
    """Clockwise from the top, 0 to 2π; those without a neighbour in the ring come last."""
    if place is None:
        return 2 * math.pi
    return math.atan2(place[0] - 0.5, 0.5 - place[1]) % (2 * math.pi)
