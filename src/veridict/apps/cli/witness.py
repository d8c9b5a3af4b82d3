"""`veridict witness`: cosign the heads of other people's logs."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.render import console, print_json
from veridict.core.errors import BadInput
from veridict.proofs.add_checkpoint import PATH

_KINDS = ("ed25519", "ml-dsa-44")


@click.command()
@click.option(
    "--dir", "directory", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where the witness keeps its keys and what it cosigned.",
)  # fmt: skip
@click.option("--name", required=True, help="Its name in cosignatures, such as example.com/w1.")
@click.option("--log", "vkeys", multiple=True, metavar="VKEY", help="A log to witness; repeatable.")
@click.option(
    "--logs", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a `log VKEY` line for each log, as in a policy.",
)  # fmt: skip
@click.option(
    "--key", "kinds", multiple=True, type=click.Choice(_KINDS), default=_KINDS[:1],
    show_default=True, help="Which algorithms to cosign with; repeatable.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8421, show_default=True, help="Port to listen on; 0 for any.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
def witness(
    directory: Path,
    name: str,
    vkeys: tuple[str, ...],
    logs: Path | None,
    kinds: tuple[str, ...],
    host: str,
    port: int,
    as_json: bool,
) -> None:
    """Serve the C2SP witness protocol until stopped.

    Cosigns a head of a known log only if it extends the head cosigned before; answers a
    rollback, a split view, a wrong key or an unknown log with the protocol's status.
    Anyone may ask, so the listener is on loopback unless --host says otherwise.
    """
    from veridict.apps.web.server import serve_app
    from veridict.apps.web.witness import create_witness_app
    from veridict.core.clock import wall_clock_ms
    from veridict.proofs.cosignature import Kind, log_verifier
    from veridict.services.witness.desk import known_logs
    from veridict.services.witness.opening import open_witness

    known = known_logs([log_verifier(vkey) for vkey in (*vkeys, *_listed(logs))])
    chosen = [kind for kind in Kind if kind.word in kinds]
    house = open_witness(directory, name, chosen, known, wall_clock_ms)
    try:

        def tell(url: str) -> None:
            keys = [cosigner.verifier.vkey for cosigner in house.cosigners]
            if as_json:
                print_json({"url": url, "vkeys": keys, "logs": sorted(known)})
                return
            console.print(f"[bold]witness[/bold]  {url}{PATH}")
            for key in keys:
                click.echo(f"key      {key}")
            for origin in sorted(known):
                click.echo(f"log      {origin}")

        serve_app(create_witness_app(house.desk), host, port, tell)
    finally:
        house.close()


def _listed(logs: Path | None) -> list[str]:
    """The keys of the `log` lines of a file; other definitions of a policy are passed over."""
    if logs is None:
        return []
    lines = [line.split() for line in logs.read_text("utf-8", errors="replace").splitlines()]
    found = [words[1] for words in lines if len(words) > 1 and words[0] == "log"]
    if not found:
        raise BadInput(f"{logs} lists no log", remedy="write a line `log VKEY` for each")
    return found
