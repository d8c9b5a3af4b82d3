"""`veridict model papers`, `check` and `data`: what others read of a model, and of its data."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import checks_json, console, facts_table, print_checks, print_json
from veridict.apps.wire import papers_of
from veridict.core.errors import BadInput, EvidenceError
from veridict.core.nouns import Check
from veridict.models.papers.croissant import read_croissant
from veridict.models.source import DataSource
from veridict.proofs.note import Verifier
from veridict.services.papers.files import check_papers

MAX_BYTES = 256 << 20  # the largest model with its annex, and papers


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Directory for the card, the model, its bill of materials and a signed "
              "statement on them.")  # fmt: skip
@click.option("--model", "model_id", metavar="ID", help="Which model.  [the one registered last]")
@home_option
@json_option
def papers(out: Path, model_id: str | None, home: Path | None, as_json: bool) -> None:
    """Write a registered model's papers: model card, CycloneDX ML-BOM, in-toto statement.

    The same registration gives the same bytes. README.md among them says what is what.
    """
    files = papers_of(settings_of(home), None if model_id is None else id_of(model_id))
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    if as_json:
        print_json({"directory": str(out), "files": {n: len(d) for n, d in files.items()}})
    else:
        facts = [(name, f"{len(data):,} bytes") for name, data in sorted(files.items())]
        console.print(facts_table(f"papers in {out}", facts))


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", metavar="KEY", required=True,
              help="The log's verifier key, as its keeper publishes it.")  # fmt: skip
@json_option
def check(directory: Path, key: str, as_json: bool) -> int:
    """Check that a model's papers are signed by this log, whole and unaltered.

    Needs neither node nor chain. Exit status 4 if anything is found.
    """
    examined, findings = check_papers(read_directory(directory), Verifier.from_vkey(key))
    title = "the papers are signed and unaltered"
    checks = [Check(1, title, examined, tuple(findings))]
    if as_json:
        print_json(checks_json(checks))
    else:
        print_checks(checks)
    return 0 if all(found.passed for found in checks) else EvidenceError.exit_status


@click.command()
@click.argument("croissant", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def data(croissant: Path, as_json: bool) -> None:
    """Read a Croissant description of a data set, as a card will carry it.

    Malformed ones are refused with what is wrong.
    """
    source = read_croissant(croissant.read_bytes())
    if as_json:
        print_json(source)
    else:
        console.print(facts_table(source.name, _facts(source)))


def read_directory(directory: Path) -> dict[str, bytes]:
    """Every file below `directory` by its path there. Raises BadInput for what is no plain file."""
    files, total = {}, 0
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BadInput(f"{name} is no plain file", remedy="pass the directory of papers alone")
        if path.is_file():
            total += path.stat().st_size
            if total > MAX_BYTES:
                raise BadInput(
                    f"{directory} holds more than {MAX_BYTES} bytes",
                    remedy="pass the directory of papers alone",
                )
            files[name] = path.read_bytes()
    return files


def id_of(text: str) -> bytes:
    try:
        model_id = bytes.fromhex(text)
    except ValueError:
        model_id = b""
    if len(model_id) != 32:
        raise BadInput(f"{text[:80]!r} is no model id", remedy="pass its 64 hex digits")
    return model_id


def _facts(source: DataSource) -> list[tuple[str, object]]:
    return [
        ("licence", ", ".join(source.licences)),
        ("url", source.url),
        ("description", source.croissant),
        *((file.name, file.sha256) for file in source.files),
        *((f"records: {found.name}", ", ".join(found.fields)) for found in source.record_sets),
    ]
