"""`veridict erase SUBJECT`: forget a person, and keep every proof."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.remote import erase_there
from veridict.apps.running import running_node
from veridict.apps.vaults import hosts_behind
from veridict.apps.wire import open_node
from veridict.services.records import Ground
from veridict.services.views import ErasedView
from veridict.services.window import Window


@click.command()
@click.argument("subject")
@click.option("--by", required=True, help="Who erases: a role or staff number. Kept sealed.")
@click.option(
    "--ground", type=click.Choice(get_args(Ground)), default="request", show_default=True,
    help="Why, after Article 17 of the GDPR.",
)  # fmt: skip
@click.option("--note", default="", help="More of why, without naming anybody. Kept sealed.")
@click.option("--yes", is_flag=True, help="Do not ask: what is erased cannot be brought back.")
@node_options
def erase(
    subject: str,
    by: str,
    ground: Ground,
    note: str,
    yes: bool,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Destroy SUBJECT's key and payloads; the erasure is logged without naming them.

    All proofs still verify, and the audit says which record accounts for what is gone. A
    request that named no subject is erased by its id. Killed in the middle, run it again.
    """
    if not yes and not as_json:
        click.confirm("Everything kept about this subject will be gone. Go on?", abort=True)
    settings = settings_of(home, rpc)
    running = running_node(settings.home)
    if running is not None:
        done = erase_there(running, settings, subject, ground=ground, by=by, note=note)
    else:
        with open_node(settings) as node:
            done = Window(node).erase(subject, ground=ground, by=by, note=note)
    if as_json:
        print_json(done)
    else:
        for erased in done:
            _tell(erased)
        for host in hosts_behind(settings):
            console.print(
                f"{host} has yet to draw a new key: until its node runs, an older copy of the "
                "vault's database could be opened with the key it has."
            )


def _tell(erased: ErasedView) -> None:
    facts = [
        ("payloads gone", f"{erased.count:,}"),
        ("accounted for by", f"record #{erased.index}"),
        ("subject commitment", erased.subject),
        ("salt, for the subject", erased.salt),
    ]
    console.print(facts_table("erased", facts))
    console.print(
        "Hand the salt to the subject: it is kept nowhere, and only with it can anybody show "
        "whom the record is about. Backups of the vault must go as well.",
        style="dim",
    )
