"""`veridict model gas MODEL`: what a model costs on chain."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.wire import open_evidence
from veridict.core.errors import BadInput, NotFound
from veridict.models.canonical import CanonicalModel
from veridict.models.image import image, pack
from veridict.services.model_gas import ModelGas, measure, random_rows
from veridict.services.registering import model_on_chain
from veridict.watch.feature_rows import read_feature_rows


@click.command()
@click.argument("model")
@click.option("--rows", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV or Parquet file, features in the model's order.  [random]")  # fmt: skip
@click.option("--count", type=click.IntRange(1, 1000), default=20, show_default=True,
              help="How many rows at most.")  # fmt: skip
@node_options
def gas(
    model: str, rows: Path | None, count: int, home: Path | None, rpc: str | None, as_json: bool
) -> None:
    """Store, register and call a model on a chain made for that: what does it cost?

    MODEL is a compiled file (.vdm) or the id of a registered model. A call is a whole
    transaction to the judge contract, with nothing warmed up before it; again is a second
    call in one transaction.
    """
    canonical = _model(model, home, rpc)
    packed = random_rows(canonical, count) if rows is None else _rows(rows, canonical)[:count]
    found = measure(canonical, packed)
    if as_json:
        print_json(_facts(found))
    else:
        _show(found)


def _model(name: str, home: Path | None, rpc: str | None) -> CanonicalModel:
    path = Path(name)
    if path.is_file():
        return CanonicalModel(path.read_bytes())
    try:
        model_id = bytes.fromhex(name)
    except ValueError:
        model_id = b""
    if len(model_id) != 32:
        raise NotFound(
            f"{name} is no file and no model id",
            remedy="pass a .vdm file, or an id of 64 hexadecimal digits",
        )
    with open_evidence(settings_of(home, rpc)) as evidence:
        return CanonicalModel(model_on_chain(evidence.network, model_id))


def _rows(path: Path, model: CanonicalModel) -> list[bytes]:
    table = read_feature_rows(path)
    if len(table.columns) != model.n_features:
        raise BadInput(
            f"{path.name} has {len(table.columns)} features, the model {model.n_features}",
            remedy="give one column a feature, in the model's order; a column `id` is none",
        )
    return [pack(row[None, :]) for row in image(table.matrix())]


def _facts(found: ModelGas) -> dict[str, object]:
    return {
        "model_id": found.model_id.hex(),
        "bytes": found.n_bytes,
        "chunks": found.chunks,
        "deployment_gas": found.deployment,
        "register_gas": found.registration,
        "rows": len(found.calls),
        "call_gas": {
            "min": min(found.calls),
            "median": found.call_median,
            "max": max(found.calls),
        },
        "again_gas": found.again_median,
    }


def _show(found: ModelGas) -> None:
    facts: list[tuple[str, object]] = [
        ("model id", found.model_id.hex()),
        ("bytes", f"{found.n_bytes:,} in {found.chunks} chunk(s)"),
        ("deployment", f"{found.deployment:,} gas"),
        ("registration", f"{found.registration:,} gas"),
        (f"a call, median of {len(found.calls)} rows", f"{found.call_median:,} gas"),
        ("least / most", f"{min(found.calls):,} / {max(found.calls):,} gas"),
        ("again, in the same transaction", f"{found.again_median:,} gas"),
    ]
    console.print(facts_table("gas", facts))
