"""The demo's summary, told."""

from __future__ import annotations

from rich.table import Table

from veridict.apps.cli.render import console, facts_table
from veridict.core.nouns import SCORE_ONE
from veridict.services.demo.summary import Summary


def print_summary(summary: Summary) -> None:
    console.print()
    console.print(f"[bold]What was seen[/bold]  {summary.scenario} on {summary.data}")
    for notice in summary.notices:
        console.print(f"  {notice}", style="dim")
    console.print(facts_table("the model", _model(summary)))
    console.print(facts_table("decisions", _decisions(summary)))
    console.print(_quality(summary))
    console.print(facts_table("settled on chain through the guard", _sample(summary)))
    console.print(_audit(summary))
    console.print(facts_table("a false score, disputed", _dispute(summary)))
    verdict = "every lie was found, nothing honest was blamed" if summary.clean else (
        "something did not hold: see above"
    )  # fmt: skip
    console.print(verdict, style="bold green" if summary.clean else "bold red")


def _model(summary: Summary) -> list[tuple[str, object]]:
    agreeing = f"{summary.rows_agreeing:,} of {summary.rows_compared:,} validation rows"
    return [
        ("model id", summary.model_id),
        ("canonical bytes", f"{summary.model_bytes:,}"),
        ("agrees with LightGBM", agreeing),
        ("registered on chain", f"{summary.register_gas:,} gas"),
    ]


def _decisions(summary: Summary) -> list[tuple[str, object]]:
    return [
        ("predictions", f"{summary.predictions:,}, each a record in the log"),
        ("allow / review / hold", f"{summary.allowed:,} / {summary.reviewed:,} / {summary.held:,}"),
        ("attested a second", f"{summary.per_second:,.0f}"),
        ("precision / recall", f"{_share(summary.precision)} / {_share(summary.recall)}"),
        ("anchors", f"{summary.anchors}, {summary.anchor_gas:,} gas"),
        ("gas a prediction", f"{summary.gas_per_prediction:.2f}"),
    ]


def _quality(summary: Summary) -> Table:
    table = Table(title="by time (labels came a period late)", title_justify="left", box=None)
    for name in ("from", "predictions", "events", "precision", "recall"):
        table.add_column(name, justify="left" if name == "from" else "right")
    for period in summary.periods:
        table.add_row(
            period.label,
            f"{period.predictions:,}",
            f"{period.positives:,}",
            _share(period.precision),
            _share(period.recall),
        )
    return table


def _sample(summary: Summary) -> list[tuple[str, object]]:
    sample = summary.sample
    by_human = f"{sample.released_by_human} / {sample.refused_by_human}"
    return [
        ("allowed: moved", sample.allowed),
        ("review / hold: kept", f"{sample.review} / {sample.held}"),
        ("released / refused by the human", by_human),
        ("without a valid prediction", f"refused: {sample.cheat_refused}"),
        ("gas, signed / anchored", f"{sample.signed_gas:,} / {sample.anchored_gas:,}"),
    ]


def _audit(summary: Summary) -> Table:
    table = Table(title="the audit, and what it says of seven lies", title_justify="left", box=None)
    table.add_column("")
    table.add_column("")
    table.add_column("")
    for check in summary.checks:
        mark = "[green]✓[/green]" if check.passed else "[red]✗[/red]"
        table.add_row(mark, check.title, f"{check.examined:,} examined")
    for seen in summary.tamperings:
        mark = "[green]found[/green]" if seen.caught else "[red]MISSED[/red]"
        table.add_row(mark, seen.title, seen.finding)
    return table


def _dispute(summary: Summary) -> list[tuple[str, object]]:
    dispute = summary.dispute
    scores = f"{dispute.claimed / SCORE_ONE:.4f} / {dispute.actual / SCORE_ONE:.4f}"
    return [
        ("claimed / actual score", scores),
        ("bond slashed", f"{int(dispute.slashed_wei) / 10**18:g} ether"),
        ("the judge's transaction", f"{dispute.judge_gas:,} gas"),
        ("challenge of an honest score", f"refused: {dispute.honest_refusal}"),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
