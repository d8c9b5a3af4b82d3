"""`veridict federate`: parties that train one model together, and show each other nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from veridict.apps.cli.federate_match import match
from veridict.apps.cli.federate_promise import promise, spent
from veridict.apps.cli.federate_statistics import statistics
from veridict.apps.cli.options import home_option, json_option, rpc_option, settings_of
from veridict.apps.cli.render import console, facts_table, print_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIR = click.Path(exists=True, file_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1, max_open=True)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def federate() -> None:
    """Train one model with other parties, with no server and without showing rows.

    \b
    federate rules      write down what is agreed, from a table's columns
    federate promise    add differential privacy to the rules
    federate create     put the rules on a chain; whoever does has no power over them
    federate join       become a member: a stake, a key, an address
    federate train      take part until the model is finished
    federate status     rounds, members, who was refused and why
    federate spent      what this party's updates have cost in privacy
    federate leave      stop taking part; the stake comes back after a delay
    federate match      which identifiers two parties have in common, and no other
    federate statistics means, deviations and histograms over all parties' rows
    federate simulate   many members in one process: attackers, dropouts, accuracy, memory
    """


@federate.command()
@click.argument("table", type=_FILE)
@click.option("--label", required=True, help="The column to learn; 0 or 1.")
@click.option("--root", type=_FILE, required=True, help="A public batch of the same columns.")
@click.option("--name", default="federation", show_default=True)
@click.option(
    "--learner", type=click.Choice(["logistic", "network", "torch", "trees"]), default="logistic",
    show_default=True,
)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(["open", "masked", "committee"]), default="masked",
    show_default=True,
    help="open: members see each other's updates. masked: a group's sum. committee: one sum.",
)  # fmt: skip
@click.option("--rule", default="trust", show_default=True, help="How updates are joined.")
@click.option("--rows-max", type=int, help="Rows of the largest party.  [four times this table's]")
@click.option("--out", "-o", type=_OUT, default="rules.json", show_default=True)
@json_option
def rules(
    table: Path,
    label: str,
    root: Path,
    name: str,
    learner: str,
    mode: str,
    rule: str,
    rows_max: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write the rules of a federation for a TABLE's columns, to be read and changed.

    The range of each feature is taken from the root batch, which is public; look at them.
    """
    from veridict.apps.federating.drafting import draft_rules

    made = draft_rules(table, label, root, name, learner, mode, rule, rows_max)
    out.write_bytes(made.encode() + b"\n")
    _tell(as_json, {"rules": str(out), "digest": made.digest.hex(), "features": len(made.features)})


@federate.command()
@click.argument("rules", type=_FILE)
@home_option
@rpc_option
@json_option
def create(rules: Path, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Put RULES on the chain, and print the contract that members join."""
    from veridict.apps.federating.seats import client_of
    from veridict.services.federation.rules import FederationRules
    from veridict.services.federation.seat import Seat

    agreed = FederationRules.decode(rules.read_bytes().strip())
    seat = Seat.create(client_of(settings_of(home, rpc)), agreed)
    _tell(as_json, {"contract": seat.contract.address, "rules": agreed.digest.hex()})


@federate.command()
@click.argument("contract")
@click.option("--rules", type=_FILE, required=True, help="What was agreed; checked on the chain.")
@click.option("--table", type=_FILE, help="This party's rows. They stay here.")
@click.option("--root", type=_FILE, help="The public batch that the rules name.")
@click.option("--url", required=True, help="Where others reach this member: https://HOST:PORT.")
@home_option
@rpc_option
@json_option
def join(
    contract: str,
    rules: Path,
    table: Path | None,
    root: Path | None,
    url: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Become a member of the federation at CONTRACT; prints the card to give to the others.

    Without a table where the parties' own code trains: see `train --clientapp`.
    """
    from veridict.apps.federating.seats import join_federation

    number, card = join_federation(settings_of(home, rpc), contract, rules, table, root, url)
    _tell(as_json, {"member": number, "card": str(card)})


@federate.command()
@click.argument("contract")
@click.option(
    "--peer", "peers", type=_FILE, multiple=True, help="Another member's card; one is enough."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--out", "-o", type=_OUT, help="Where to write the canonical model, or arrays.")
@click.option("--clientapp", help="A Flower ClientApp that trains in place of rows: module:app.")
@click.option(
    "--app-dir", type=_DIR, default=".", help="The folder that it is imported from.  [this one]"
)
@click.option("--python", type=_FILE, help="An interpreter that has flwr.  [.flower/bin/python]")
@click.option("--node-config", multiple=True, help="For the ClientApp's context: key=value.")
@click.option("--run-config", multiple=True, help="The same for its run: key=value.")
@home_option
@rpc_option
@json_option
def train(
    contract: str,
    peers: tuple[Path, ...],
    host: str,
    out: Path | None,
    clientapp: str | None,
    app_dir: Path,
    python: Path | None,
    node_config: tuple[str, ...],
    run_config: tuple[str, ...],
    home: Path | None,
    rpc: str | None,
    as_json: bool,
) -> None:
    """Take part in the rounds of CONTRACT until the model is finished.

    May be stopped and started at any time: a member goes on from the last final round.
    """
    from veridict.apps.federating.flower import ClientAppAt, settings_in
    from veridict.apps.federating.seats import train_member
    from veridict.services.federation.member import Told

    def tell(told: Told) -> None:
        if as_json:
            print_json({"round": told.round, "phase": told.phase.word, "did": told.did})
            return
        console.print(f"round {told.round:>3}  {told.phase.word:<9}  {told.did}")
        for refusal in told.refusals:
            console.print(f"           [yellow]member {refusal.member}: {refusal.text}[/yellow]")

    at = None
    if clientapp is not None:
        at = ClientAppAt(
            clientapp,
            app_dir,
            (python or Path(".flower/bin/python")).absolute(),
            settings_in(node_config),
            settings_in(run_config),
        )
    trained = train_member(settings_of(home, rpc), contract, list(peers), host, tell, at)
    if out is not None:
        out.write_bytes(trained.data)
    _tell(as_json, {"model": trained.id.hex(), "file": str(out) if out else None})


@federate.command()
@click.argument("contract")
@home_option
@rpc_option
@json_option
def status(contract: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Who is a member of CONTRACT, how far the rounds are, and who was punished."""
    from veridict.apps.federating.seats import client_of
    from veridict.services.federation.seat import Seat

    seat = Seat.at(client_of(settings_of(home, rpc)), contract)
    now = seat.glance()
    punished = [
        {"round": e.args["round"], "member": e.args["member"], "reason": e.args["reason"]}
        for e in seat.contract.events("Punished")
    ]
    members = [
        {"member": m.number, "owner": m.owner, "stake": str(m.stake), "stands": m.stands}
        for m in seat.members()
    ]
    facts = {"round": now.round, "phase": now.phase.word, "last_final": now.last_final}
    if as_json:
        print_json({**facts, "members": members, "punished": punished})
        return
    console.print(facts_table("federation", list(facts.items())))
    for member in members:
        mark = "" if member["stands"] else "  [red]does not stand[/red]"
        console.print(f"member {member['member']}  {member['owner']}  {member['stake']} wei{mark}")
    for each in punished:
        console.print(
            f"[yellow]round {each['round']}: member {each['member']}, {each['reason']}[/]"
        )


@federate.command()
@click.argument("contract")
@home_option
@rpc_option
@json_option
def leave(contract: str, home: Path | None, rpc: str | None, as_json: bool) -> None:
    """Stop taking part in CONTRACT. Run it again after the delay to take the stake back."""
    from veridict.apps.federating.seats import leave_federation

    _tell(as_json, {"did": leave_federation(settings_of(home, rpc), contract)})


@federate.command()
@click.argument("table", type=_FILE, required=False)
@click.option("--label", help="The table's column to learn; 0 or 1.")
@click.option("--members", type=click.IntRange(3), default=1000, show_default=True)
@click.option("--attackers", type=_SHARE, default=0.0, help="Share of members that are hostile.")
@click.option(
    "--attack", type=click.Choice(["sign-flip", "label-flip", "noise"]), default="sign-flip",
    show_default=True,
)  # fmt: skip
@click.option("--dropouts", type=_SHARE, default=0.0, help="Share that leaves in each round.")
@click.option("--group", type=int, default=0, help="Members of a masked group.  [open updates]")
@click.option("--rule", default="trust", show_default=True)
@click.option("--learner", default="logistic", show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@json_option
def simulate(
    table: Path | None,
    label: str | None,
    learner: str,
    rounds: int,
    as_json: bool,
    **plan: Any,
) -> None:
    """Simulate many members on this machine, over TABLE's rows or drawn ones.

    The first two rounds find the common scale. Updates, rules and masks are the real ones;
    chain and network are left out.
    """
    from veridict.apps.federating.simulating import run_simulation
    from veridict.services.federation.simulation import Plan

    for told in run_simulation(Plan(**plan), table, label, learner, rounds):
        if as_json:
            print_json(asdict(told))
            continue
        console.print(
            f"round {told.round:>3}  {told.groups} updates  {told.dropped} dropped  "
            f"{told.lost} lost with their group  no part: {told.unheard[0]} hostile, "
            f"{told.unheard[1]} honest  AUC {told.auc:.4f}  {told.seconds:.1f} s  "
            f"{told.peak_mb:.0f} MB"
        )


def _tell(as_json: bool, facts: dict[str, object]) -> None:
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name:<10} {value}")


for _command in (promise, spent, match, statistics):
    federate.add_command(_command)
