"""`veridict model release`, `deprecate` and `transfer`: a registered model's life on chain."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.papers import id_of
from veridict.apps.cli.render import console, print_json
from veridict.apps.wire import open_node
from veridict.chain.addresses import address_bytes, checksum
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.core.errors import BadInput, NotFound
from veridict.services import releasing
from veridict.services.funding import funded
from veridict.services.node import Node

LINE = "main"


@click.command()
@click.argument("model")
@click.option("--line", "name", default=LINE, show_default=True, help="The line of versions.")
@click.option("--delay", "delay_s", type=int, default=releasing.DELAY_S, show_default=True,
              help="Seconds a version waits, where this begins the line.")  # fmt: skip
@click.option("--guardian", metavar="ADDRESS",
              help="Who may veto, where this begins the line.  [this home's human]")  # fmt: skip
@click.option("--veto", "step", flag_value="veto", help="Strike it, as this home's human.")
@click.option("--rollback", "step", flag_value="rollback",
              help="Leave it for the version before, at once.")  # fmt: skip
@node_options
def release(
    model: str,
    name: str,
    delay_s: int,
    guardian: str | None,
    step: str | None,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Release MODEL (an id, or a .vdm file) on a line of versions.

    The first time it is proposed; run again when the delay is over, it is put to work.
    """
    model_id = _model_id(model)
    with open_node(settings_of(home, rpc)) as node:
        human = node.parts.keyring.account("human")
        contract = releasing.releases(node.log, node.network)
        if step is None:
            line = line_of(node, contract, name, guardian or human.address, delay_s)
            releasing.advance(line, model_id, now_s=node.parts.clock() // 1000)
        else:
            line = releasing.line(contract, node.operator, name)
        if step == "veto":
            client = Client(node.network.client.rpc, funded(node, "human"))
            as_human = Contract(client, contract.artifact, contract.address)
            releasing.veto(releasing.line(as_human, node.operator, name), model_id)
        elif step == "rollback":
            releasing.rollback(line, model_id)
        found, at_work = releasing.standing(line, model_id), releasing.active(line)
    facts = {
        "line": name,
        "model_id": model_id.hex(),
        "state": found.state,
        "ready_at_s": found.ready_at_s,
        "active": at_work.hex() if at_work else None,
        "releases": contract.address,
    }
    if as_json:
        print_json(facts)
    elif found.state == "proposed":
        console.print(f"{model_id.hex()} is proposed on {name}; ready at {found.ready_at_s} s")
    else:
        console.print(f"active on {name}: {facts['active'] or 'nothing'}")


@click.command()
@click.argument("model")
@node_options
def deprecate(model: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Retire MODEL (an id, or a .vdm file) for ever: guards stop acting on it.

    What it scored stays checkable and open to dispute.
    """
    model_id = _model_id(model)
    with open_node(settings_of(home, rpc)) as node:
        done = node.network.registry.send("deprecate", model_id)
    if as_json:
        print_json({"model_id": model_id.hex(), "deprecated_at_block": done.block_number})
    else:
        console.print(f"{model_id.hex()} is deprecated since block {done.block_number}")


@click.command()
@click.argument("model")
@click.argument("address")
@node_options
def transfer(model: str, address: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Hand the registry's entry of MODEL (an id, or a .vdm file) over to ADDRESS, for good."""
    model_id, heir = _model_id(model), _address(address)
    with open_node(settings_of(home, rpc)) as node:
        done = node.network.registry.send("transfer", model_id, heir)
    if as_json:
        print_json({"model_id": model_id.hex(), "owner": heir, "tx_hash": done.hash})
    else:
        console.print(f"{model_id.hex()} belongs to {heir}")


def line_of(
    node: Node, contract: Contract, name: str, guardian: str, delay_s: int
) -> releasing.Line:
    try:
        return releasing.line(contract, node.operator, name)
    except NotFound:
        return releasing.begin(contract, name, guardian=_address(guardian), delay_s=delay_s)


def _model_id(text: str) -> bytes:
    path = Path(text)
    if path.suffix == ".vdm" and path.is_file():
        return sha256(path.read_bytes()).digest()
    return id_of(text)


def _address(text: str) -> str:
    """In EIP-55 letter case; who writes in mixed case has written a checksum."""
    address = checksum(address_bytes(text))
    if text not in (address, text.lower(), "0x" + text[2:].upper()):
        raise BadInput(
            f"{text} does not match its own checksum",
            remedy="copy the address again; a digit or a letter's case is wrong",
        )
    return address
