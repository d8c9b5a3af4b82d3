"""`veridict chain …`: the chain a node stands on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from veridict.apps.cli.options import chains_options, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.wire import open_evidence, open_node
from veridict.core.errors import OperatorError, VeridictError
from veridict.ledger.view import LogView
from veridict.services.anchoring.fleet import Tried
from veridict.services.anchoring.outbox import Outbox
from veridict.services.anchoring.places import HOME, Elsewhere, Place, remembered


@click.group()
def chain() -> None:
    """The chain a node stands on: its state, and anchoring by hand."""


@chain.command()
@chains_options
def status(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Chains, contracts, operator and anchors, as the chains themselves tell them."""
    with open_evidence(settings_of(home, rpc)) as evidence:
        network, client = evidence.network, evidence.network.client
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
            *_anchored(evidence.home()),
            *_costs(evidence.log, HOME, evidence.operator),
        ]
        others = [(other.name, _elsewhere(other, evidence.log)) for other in evidence.elsewhere]
    if as_json:
        chains = {name: _as_json(told) for name, told in others}
        print_json({**_as_json(facts), "chains": chains})
        return
    console.print(facts_table("chain", facts))
    for name, told in others:
        console.print(facts_table(f"chain {name}", told))


def _elsewhere(other: Elsewhere, log: LogView) -> list[tuple[str, object]]:
    """What another chain says, and what anchoring there has cost; or why it cannot be asked."""
    known = {place.name: place.operator for place in remembered(log)}
    costs = _costs(log, other.name, known[other.name])
    if other.place is None:
        return [("problem", other.problem), *costs]
    place = other.place
    try:
        return [
            ("chain id", place.chain_id),
            ("block", place.client.block_number()),
            ("operator", place.operator),
            ("balance wei", place.client.balance(place.operator)),
            ("anchor", place.contract.address),
            *_anchored(place),
            *costs,
        ]
    except VeridictError as problem:
        return [("problem", problem.message), *costs]


def _costs(log: LogView, name: str, operator: str) -> list[tuple[str, object]]:
    """`saved wei`: against posting each anchor when its oldest record came."""
    outbox = Outbox(log, name, operator)
    books = outbox.books
    costs: list[tuple[str, object]] = [
        ("posted", books.posted),
        ("gas", books.gas),
        ("spent wei", books.spent),
        ("saved wei", str(books.saved_wei)),
    ]
    return [*costs, ("on its way", outbox.sent.hash)] if outbox.sent is not None else costs


def _anchored(place: Place) -> list[tuple[str, object]]:
    head = place.head()
    return [("anchors", head.count), ("anchored records", head.size)]


def _as_json(facts: Sequence[tuple[str, object]]) -> dict[str, object]:
    return {name.replace(" ", "_"): value for name, value in facts}


@chain.command()
@chains_options
def anchor(home: Path | None, rpc: str | None, as_json: bool) -> int:
    """Anchor what is logged and not yet anchored, now, on every chain.

    Exit status 3 if a chain failed; the others were anchored on all the same.
    """
    with open_node(settings_of(home, rpc)) as node:
        tried = node.anchor_everywhere()
    failed = [each for each in tried if each.problem is not None]
    if as_json:
        print_json(_anchored_json(tried))
    else:
        for each in tried:
            console.print(_tried(each))
    return OperatorError.exit_status if failed else 0


def _anchored_json(tried: Sequence[Tried]) -> dict[str, object]:
    """The home chain's under the names it always had, and every chain's by its name."""

    def told(each: Tried) -> dict[str, object]:
        problem = each.problem.as_dict() if each.problem else None
        size = each.anchor.size if each.anchor else None
        return {"anchored": size, "gas": each.gas, "problem": problem}

    return {**told(tried[0]), "chains": {each.name: told(each) for each in tried[1:]}}


def _tried(each: Tried) -> str:
    where = "" if each.name == HOME else f"{each.name}: "
    if each.problem is not None:
        return f"{where}{each.problem.code}: {each.problem.message}"
    if each.anchor is None:
        return f"{where}nothing new to anchor"
    return (
        f"{where}{each.anchor.size:,} records anchored for {each.gas:,} gas: {each.anchor.tx_hash}"
    )
