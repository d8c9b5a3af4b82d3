"""`veridict audit model`: is what the card says true?"""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.papers import id_of, read_directory
from veridict.apps.cli.render import checks_json, console, drawn, print_checks, print_json
from veridict.apps.wire import open_evidence
from veridict.core.errors import EvidenceError
from veridict.proofs.note import Verifier
from veridict.services.papers.audit import Papers, audit_model
from veridict.services.papers.files import registration
from veridict.solutions.roster import scenario_of_data
from veridict.watch.mapping import parse_mapping


@click.command("model")
@click.option("--model", "model_id", metavar="ID", help="Which model.  [the one registered last]")
@click.option("--stream", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The file it was trained on.  [the scenario's own data]")  # fmt: skip
@click.option("--map", "mapping", metavar="NAME=COLUMN,…", default="",
              help="The file's columns: id, time, payer, payee, amount, label.")  # fmt: skip
@click.option("--croissant", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The file's description, where the card names one.")  # fmt: skip
@click.option("--papers", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Also check the papers in this directory.")  # fmt: skip
@click.option("--key", metavar="KEY", help="The key that signed them.  [the log's own]")
@node_options
def model(
    model_id: str | None,
    stream: Path | None,
    mapping: str,
    croissant: Path | None,
    papers: Path | None,
    key: str | None,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> int:
    """Do everything on a model's card again: data, features, scores, measures by group.

    The scores are made by the bytes on chain. Exit status 4 if anything is found.
    """
    settings = settings_of(home, rpc)
    with open_evidence(settings) as evidence, drawn(as_json) as progress:
        card = registration(
            evidence.log, None if model_id is None else id_of(model_id)
        ).model_card()
        scenario = scenario_of_data(
            card.data_title,
            stream=stream,
            mapping=parse_mapping(mapping),
            data_root=settings.data,
            croissant=None if croissant is None else croissant.read_bytes(),
        )
        verifier = evidence.log.verifier if key is None else Verifier.from_vkey(key)
        checks = audit_model(
            card,
            scenario,
            scenario.load(),
            evidence.network,
            evidence.shelf,
            None if papers is None else Papers(read_directory(papers), verifier),
            progress,
        )
    if as_json:
        print_json(checks_json(checks))
    else:
        print_checks(checks)
        passed = sum(check.passed for check in checks)
        console.print(
            f"{passed} of {len(checks)} checks passed over model {card.model_id[:16]}…",
            style="bold green" if passed == len(checks) else "bold red",
        )
    return 0 if all(check.passed for check in checks) else EvidenceError.exit_status
