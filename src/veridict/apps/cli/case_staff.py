"""`veridict case staff`: who works on cases, each with a token of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.staff import Staff


@click.group()
def staff() -> None:
    """Who works on cases: analysts and leads, beside the operator."""


@staff.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["analyst", "lead"]), default="analyst", show_default=True,
    help="A lead also stops others, and reports with names.",
)  # fmt: skip
@home_option
@json_option
def add(name: str, role: Literal["analyst", "lead"], home: Path | None, as_json: bool) -> None:
    """Make a token for NAME and print it, this once."""
    token = Staff(settings_of(home).home).add(name, role)
    if as_json:
        print_json({"name": name, "role": role, "token": token})
    else:
        console.print(f"{name}, {role}: {token}", soft_wrap=True)


@staff.command()
@click.argument("name")
@home_option
@json_option
def remove(name: str, home: Path | None, as_json: bool) -> None:
    """NAME's token opens nothing any more; what they did stays."""
    Staff(settings_of(home).home).remove(name)
    if as_json:
        print_json({"name": name})
    else:
        console.print(f"{name} is removed")


@staff.command(name="list")
@home_option
@json_option
def list_(home: Path | None, as_json: bool) -> None:
    """Who there is."""
    members = Staff(settings_of(home).home).members()
    if as_json:
        print_json([{"name": member.name, "role": member.role} for member in members])
        return
    for member in members:
        console.print(f"{member.name}, {member.role}")
    console.print(f"{len(members)} beside the operator", style="dim")
