"""`veridict case assign|note|release|confirm|suppress|revoke`: what a person does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from veridict.apps.casework import work_of
from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.services.acting import Act
from veridict.services.cases.suppressing import DAYS, MOST, Limits
from veridict.services.cases.views import ActView, StepView, SuppressionView

C = TypeVar("C", bound=Callable[..., Any])

_INDEX = click.argument("index", type=click.IntRange(min=0))
_NOTE = click.option("--note", default="", help="Why. Kept sealed, under the subject's key.")
_LIMITS = (
    click.option("--days", type=int, default=DAYS, show_default=True, help="For how long."),
    click.option("--most", type=int, default=MOST, show_default=True, help="How often."),
)


def _common(command: C) -> C:
    by = click.option("--by", default="", help="Who acts.  [whose token VERIDICT_TOKEN is]")
    return by(node_options(command))


def _limited(command: C) -> C:
    for option in reversed(_LIMITS):
        command = option(command)
    return command


@click.command()
@_INDEX
@click.option("--to", required=True, help="Who has it from now on.")
@_NOTE
@_common
def assign(
    index: int, to: str, note: str, by: str, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Give case INDEX to somebody."""
    with work_of(settings_of(home, rpc)) as work:
        _told(work.assign(index, to=to, by=by, note=note), as_json)


@click.command()
@_INDEX
@click.argument("text")
@_common
def note(index: int, text: str, by: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Write TEXT upon case INDEX, decided or not."""
    with work_of(settings_of(home, rpc)) as work:
        _told(work.note(index, note=text, by=by), as_json)


@click.command()
@_INDEX
@_NOTE
@click.option("--stop", is_flag=True, help="Also stop alerts like it, within --days and --most.")
@_limited
@_common
def release(
    index: int,
    note: str,
    stop: bool,
    days: int,
    most: int,
    by: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Case INDEX is fine: a payment that the guard holds moves to its payee."""
    limits = Limits(days, most) if stop else None
    _act(index, "release", note, limits, by, home, rpc, as_json)


@click.command()
@_INDEX
@_NOTE
@_common
def confirm(
    index: int, note: str, by: str, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Case INDEX is what it seemed: a payment that the guard holds goes back to its payer."""
    _act(index, "confirm", note, None, by, home, rpc, as_json)


@click.command()
@_INDEX
@_NOTE
@_limited
@_common
def suppress(
    index: int,
    note: str,
    days: int,
    most: int,
    by: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """From now on, alerts like the released case INDEX need nobody.

    Like it: by the same model, for the same strongest reason, decided no graver, between the same
    parties, of no larger amount. Tokens that a guard holds are never released by it.
    """
    with work_of(settings_of(home, rpc)) as work:
        _told(work.suppress(index, Limits(days, most), by=by, note=note), as_json)


@click.command()
@_INDEX
@_NOTE
@_common
def revoke(
    index: int, note: str, by: str, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Take the suppression at record INDEX back: it stops nothing more."""
    with work_of(settings_of(home, rpc)) as work:
        _told(work.revoke(index, by=by, note=note), as_json)


def _act(
    index: int,
    act: Act,
    note: str,
    stop: Limits | None,
    by: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    with work_of(settings_of(home, rpc)) as work:
        _told(work.act(index, act, by=by, note=note, stop=stop), as_json)


def _told(done: ActView | StepView | SuppressionView, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    console.print(f"logged as record #{done.index}, by {done.by}")
    if isinstance(done, ActView) and done.suppression is not None:
        console.print(f"alerts like it are stopped: suppression #{done.suppression}")
