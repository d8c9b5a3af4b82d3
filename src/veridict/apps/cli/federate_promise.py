"""`veridict federate promise` and `spent`: privacy in the rules, and what it has cost."""

from __future__ import annotations

from pathlib import Path

import click

from veridict.apps.cli.options import home_option, json_option, settings_of
from veridict.apps.cli.render import console, print_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("rules", type=_FILE)
@click.option("--root", type=_FILE, required=True, help="The public batch that the rules name.")
@click.option("--epsilon", type=float, required=True, help="Spent at most, over all rounds.")
@click.option("--delta", type=float, default=1e-5, show_default=True)
@click.option("--rows-min", type=int, required=True, help="Rows of the smallest party.")
@click.option(
    "--noise", type=click.Choice(["local", "shared"]), default="local", show_default=True,
    help="local: each update hides its rows. shared: only a group's sum does, with less noise.",
)  # fmt: skip
@click.option(
    "--unit", type=click.Choice(["row", "party"]), default="row", show_default=True,
    help="Whose presence is hidden.",
)  # fmt: skip
@click.option(
    "--sharers", type=int, help="Members of a group whose noise is counted on.  [2, if shared]"
)
@click.option("--out", "-o", type=_OUT, help="Where to write.  [over RULES]")
@json_option
def promise(
    rules: Path,
    root: Path,
    epsilon: float,
    delta: float,
    rows_min: int,
    noise: str,
    unit: str,
    sharers: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Add to RULES a promise of differential privacy, before a federation is created.

    Chooses how long to train and the least noise that keeps the budget over all rounds, and
    takes the common scale from the public batch, so that no budget is spent on finding it.
    """
    from veridict.apps.federating.promising import promised
    from veridict.services.federation.drafts import Budget
    from veridict.services.federation.rules import FederationRules

    budget = Budget(
        epsilon,
        delta,
        "shared" if noise == "shared" else "local",
        "party" if unit == "party" else "row",
        rows_min,
        sharers or (2 if noise == "shared" else 1),
    )
    made = promised(FederationRules.decode(rules.read_bytes().strip()), root, budget)
    assert made.privacy is not None
    (out or rules).write_bytes(made.encode() + b"\n")
    facts = {
        "rules": str(out or rules),
        "digest": made.digest.hex(),
        "rounds": made.learner_().rounds,
        "multiplier": made.privacy.multiplier,
    }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name:<10} {value}")


@click.command()
@click.argument("contract")
@home_option
@json_option
def spent(contract: str, home: Path | None, as_json: bool) -> None:
    """What this party's updates to CONTRACT have cost in privacy, from its own log."""
    from veridict.apps.federating.home import MemberHome
    from veridict.apps.federating.journal import spendings

    for record in spendings(MemberHome.at(settings_of(home).home, contract)):
        if as_json:
            print_json({"round": record.round, "epsilon": record.epsilon, "budget": record.budget})
            continue
        console.print(
            f"round {record.round:>3}  epsilon {record.epsilon} of {record.budget} "
            f"at delta {record.delta}  ({record.unit}, {record.noise} noise)"
        )
