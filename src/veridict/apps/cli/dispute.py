"""`veridict dispute RECEIPT`: have the judge contract re-run a prediction, slash a false one."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.wire import open_account
from veridict.core.errors import Refused
from veridict.services.dispute import NO_SCORE, challenge, foresee
from veridict.services.receipt import Receipt


@click.command()
@click.argument("receipt", type=click.File("rb"))
@click.option("--role", default="challenger", show_default=True, help="The account that disputes.")
@click.option("--anyway", is_flag=True, help="Challenge even a score that is found honest here.")
@node_options
def dispute(
    receipt: BinaryIO,
    role: str,
    anyway: bool,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Prove on chain that a logged score is false; half of the operator's bond is yours.

    The model is run here first: a challenge of an honest score would only cost gas.
    """
    found = Receipt.from_json(receipt.read())
    with open_account(settings_of(home, rpc), role, found.addresses) as network:
        ruling = foresee(found, network)
        if not ruling.false and not anyway:
            raise Refused(
                "the score is honest: the registered model gives it again",
                remedy="nothing is to be done; --anyway lets the judge contract say so too",
                reason="honest",
                score=ruling.claimed,
            )
        slashing = challenge(found, network)
    facts: list[tuple[str, object]] = [
        ("operator", slashing.operator),
        ("claimed score", slashing.claimed),
        ("actual score", None if slashing.actual == NO_SCORE else slashing.actual),
        ("slashed", f"{slashing.slashed_wei} wei"),
        ("gas", slashing.gas_used),
        ("transaction", slashing.tx_hash),
    ]
    if as_json:
        print_json({name.replace(" ", "_"): value for name, value in facts})
    else:
        console.print(facts_table("a false score was proven", facts))
