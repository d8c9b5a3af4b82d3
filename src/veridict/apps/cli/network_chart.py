"""The fan and its calibration as one HTML page without scripts, to keep or to send."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import sqrt
from pathlib import Path

from veridict.core.errors import StorageFailed
from veridict.services.network.views import OutlookView

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 300, 56, 34, 14
Point = tuple[float, float]

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Fees after block {block}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 48rem; color: #1a2324;
  background: #f5f3ec }}
svg {{ width: 100%; background: #fffefa; border: 1px solid #d8d3c5; border-radius: 8px }}
text {{ font-size: 12px; fill: #545e60 }} .grid {{ stroke: #d8d3c5 }} .fan {{ fill: #0b5f5933 }}
.past {{ fill: none; stroke: #1a2324; stroke-width: 1.5 }}
.point {{ fill: none; stroke: #0b5f59; stroke-width: 2.5 }} .dot {{ fill: #0b5f59 }}
.ideal {{ stroke: #8a8777; stroke-dasharray: 4 4 }}
</style>
<h1>Fees after block {block}</h1>
<p>The next block charges {next} gwei, exactly. The band holds the fee in four cases of five.</p>
{fan}
<h2>How well it was said</h2>
<p>How often the fee was, lately, at most the quantile that was said. On the line: calibrated.</p>
{calibration}
</html>
"""


def write_chart(path: Path, view: OutlookView) -> None:
    """Raises StorageFailed."""
    page = _PAGE.format(
        block=view.block,
        next=f"{view.next_fee_gwei:.3f}",
        fan=fan_svg(view),
        calibration=calibration_svg(view),
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise StorageFailed(
            f"{path} cannot be written: {problem.strerror}", remedy="choose another place"
        ) from problem


def fan_svg(view: OutlookView) -> str:
    """The last blocks, then the band and the point forecast; time as its square root."""
    past = list(enumerate(view.recent, start=1 - len(view.recent)))
    start = (1.0, view.next_fee_gwei)
    low = [start, *((f.horizon, f.low) for f in view.fans)]
    high = [start, *((f.horizon, f.high) for f in view.fans)]
    point = [start, *((f.horizon, f.point) for f in view.fans)]
    fees = [fee for _, fee in (*past, *low, *high)]
    bottom, top = min(fees) * 0.97, max(fees) * 1.03
    first, last = -sqrt(len(past)), sqrt(max((f.horizon for f in view.fans), default=1))

    def at(block: float, fee: float) -> Point:
        root = sqrt(abs(block)) * (1 if block > 0 else -1)
        across = (root - first) / max(last - first, 1e-9)
        up = (fee - bottom) / max(top - bottom, 1e-9)
        return LEFT + across * (WIDTH - LEFT - 12), TOP + (1 - up) * (HEIGHT - TOP - BOTTOM)

    band = [at(*p) for p in high] + [at(*p) for p in reversed(low)]
    ticks = [bottom + (top - bottom) * part / 4 for part in range(5)]
    feet = [(-len(past), "past"), (1, "next"), *((f.horizon, f"+{f.horizon}") for f in view.fans)]
    return _svg(
        f"Base fee in gwei: the last {len(past)} blocks and the next",
        [_grid(at(1, tick)[1], f"{tick:.2f}") for tick in ticks],
        [f'<polygon class="fan" points="{_points(band)}"/>'],
        [_line("past", [at(*p) for p in past]), _line("point", [at(*p) for p in point])],
        [_foot(at(block, bottom)[0], text) for block, text in feet],
    )


def calibration_svg(view: OutlookView) -> str:
    """Said quantiles against the share of fees at most them; one line a horizon."""

    def at(said: float, came: float) -> Point:
        return LEFT + said * (WIDTH - LEFT - 12), TOP + (1 - came) * (HEIGHT - TOP - BOTTOM)

    (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
    marks = [f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>']
    for fan in view.fans:
        for level, share in zip(view.levels, fan.shares, strict=True):
            x, y = at(level, share)
            title = f"{fan.horizon} blocks ahead: {level:.0%} said, {share:.1%} came"
            marks.append(
                f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(title)}'
                "</title></circle>"
            )
    return _svg(
        "Share of fees at most each quantile that was said",
        [_grid(at(0, part / 4)[1], f"{part / 4:.0%}") for part in range(5)],
        marks,
        [_foot(at(level, 0)[0], f"{level:.0%} said") for level in view.levels],
    )


def _svg(label: str, *parts: Sequence[str]) -> str:
    inner = "\n".join(line for part in parts for line in part)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">\n{inner}\n'
        "</svg>"
    )


def _grid(y: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )


def _foot(x: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(text)}</text>'


def _line(name: str, points: Sequence[Point]) -> str:
    return f'<polyline class="{name}" points="{_points(points)}"/>'


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
