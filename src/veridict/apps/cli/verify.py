"""`veridict verify RECEIPT`: check one prediction, with the chain alone."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import checks_json, console, facts_table, print_checks, print_json
from veridict.apps.wire import existing_chain
from veridict.core.errors import EvidenceError
from veridict.services.receipt import Receipt


@click.command()
@click.argument("receipt", type=click.File("rb"))
@node_options
def verify(receipt: BinaryIO, home: Path | None, rpc: str | None, as_json: bool) -> int:
    """Check that this very prediction was made, logged, anchored, and follows from its model.

    Needs the receipt file and the chain; not the node, its log or its keeper. You
    must know yourself that the operator and the contracts it names are the ones
    you mean. Exit status 4 if anything is found.
    """
    found = Receipt.from_json(receipt.read())
    with existing_chain(settings_of(home, rpc)) as chain:
        checks = found.verify(chain)
    if as_json:
        print_json(checks_json(checks))
    else:
        record = found.record
        console.print(
            facts_table(
                f"prediction {record.sequence}",
                [
                    ("request", found.payload.request.id),
                    ("decision", record.decision.word),
                    ("operator", found.operator),
                    ("registry", found.addresses.registry),
                    ("anchor", f"{found.addresses.anchor} on chain {found.addresses.chain_id}"),
                ],
            )
        )
        print_checks(checks)
    return 0 if all(check.passed for check in checks) else EvidenceError.exit_status
