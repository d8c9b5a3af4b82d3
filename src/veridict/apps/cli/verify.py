"""`veridict verify RECEIPT`: check one prediction, with the chain alone."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import checks_json, console, facts_table, print_checks, print_json
from veridict.apps.settings import Settings
from veridict.apps.trust import open_log
from veridict.apps.wire import existing_chain
from veridict.core.errors import EvidenceError
from veridict.services.accounts import Accounts, erasures_of
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
    settings = settings_of(home, rpc)
    found = Receipt.from_json(receipt.read())
    with existing_chain(settings) as chain:
        checks = found.verify(chain)
    erased_by = _erased_by(settings, found)
    if as_json:
        print_json({**checks_json(checks), "erased_by": erased_by})
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
        if erased_by is not None:
            console.print(
                f"this home's own copy was erased, accounted for by record #{erased_by}",
                style="dim",
            )
    return 0 if all(check.passed for check in checks) else EvidenceError.exit_status


def _erased_by(settings: Settings, receipt: Receipt) -> int | None:
    """Where this home keeps the receipt's log: the record by which the payload is gone."""
    if not (settings.home / "log").is_dir():
        return None
    with open_log(settings, sealed=True) as log:
        here = log.verifier.vkey == receipt.verifier_key and receipt.index < log.size
        if not here or log.payload(receipt.index) is not None:
            return None
        return Accounts(log, erasures_of(log)).of(receipt.index)
