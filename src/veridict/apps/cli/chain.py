"""`veridict chain …`: the chain a node stands on."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import node_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.wire import open_evidence, open_node
from veridict.services.anchoring import chain_anchors, log_id, log_key


@click.group()
def chain() -> None:
    """The chain a node stands on: its state, and anchoring by hand."""


@chain.command()
@node_options
def status(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Chain, contracts, operator and anchors, as the chain itself tells them."""
    with open_evidence(settings_of(home, rpc)) as evidence:
        network, client = evidence.network, evidence.network.client
        identity = log_id(evidence.operator, log_key(evidence.log.verifier.vkey))
        anchors = chain_anchors(network, identity)
        facts: list[tuple[str, object]] = [
            ("chain id", client.chain_id),
            ("block", client.block_number()),
            ("operator", evidence.operator),
            ("balance wei", client.balance(evidence.operator)),
            ("bond wei", network.stakes.call("bond", evidence.operator)),
            ("registry", network.addresses.registry),
            ("anchor", network.addresses.anchor),
            ("stakes", network.addresses.stakes),
            ("judge", network.addresses.judge),
            ("log records", evidence.log.size),
            ("anchors", len(anchors)),
            ("anchored records", anchors[-1].size if anchors else 0),
        ]
    if as_json:
        print_json({name.replace(" ", "_"): value for name, value in facts})
    else:
        console.print(facts_table("chain", facts))


@chain.command()
@node_options
def anchor(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Anchor what is logged and not yet anchored, now."""
    with open_node(settings_of(home, rpc)) as node:
        done = node.anchor()
    if as_json:
        print_json({"anchored": done[0].size, "gas": done[1]} if done else {"anchored": None})
    elif done is None:
        console.print("nothing new to anchor")
    else:
        console.print(f"{done[0].size:,} records anchored for {done[1]:,} gas: {done[0].tx_hash}")
