"""`veridict log …`: the log's standard faces, to hand to strangers and to check as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from veridict.apps.chains import final_blocks
from veridict.apps.cli.log_find import find
from veridict.apps.cli.options import chains_options, home_option, json_option, settings_of
from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.trust import open_log, open_published, trust_of
from veridict.apps.wire import open_evidence
from veridict.apps.witnesses import last_answers, policy_of, second_vkey
from veridict.core.errors import BadInput, EvidenceError
from veridict.core.nouns import Anchor, RecordState
from veridict.ledger.export import export as run_export
from veridict.ledger.faces import proof_of
from veridict.ledger.filestores import open_store
from veridict.ledger.moving import move_to_database
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import leaf_hash
from veridict.proofs.tlog_proof import MAX_BYTES, SUFFIX, TlogProof

C = TypeVar("C", bound=Callable[..., Any])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def trust_options(command: C) -> C:
    """Adds --vkey and --policy."""
    vkey = click.option(
        "--vkey", "vkeys", multiple=True, metavar="VKEY", help="The log's key, from its keeper."
    )
    policy = click.option("--policy", type=_FILE, help="A C2SP policy: logs, witnesses, quorum.")
    return vkey(policy(command))


@click.group()
def log() -> None:
    """The log for strangers: keys, static files, proofs, their checks; and finding records."""


@log.command()
@home_option
@json_option
def keys(home: Path | None, as_json: bool) -> None:
    """The verifier keys under which checkpoints are signed: what others need to trust."""
    settings = settings_of(home)
    with open_log(settings) as opened:
        found = [opened.verifier.vkey]
        found += [vkey] if (vkey := second_vkey(settings, opened.origin)) else []
    if as_json:
        print_json({"origin": opened.origin, "vkeys": found})
    else:
        click.echo("\n".join(found))


@log.command()
@home_option
@json_option
def move(home: Path | None, as_json: bool) -> None:
    """Move the home's log from its file into the empty database that VERIDICT_STORE names.

    Stop the node first. From then on other nodes can share the log.
    """
    settings = settings_of(home)
    if settings.store is None:
        raise BadInput(
            "no database to move to", remedy="set VERIDICT_STORE to postgresql://user@host/database"
        )
    size = move_to_database(settings.home / "log", settings.store)
    if as_json:
        print_json({"records": size})
    else:
        click.echo(f"moved {size:,} records; the file is kept as log.sqlite.moved")


@log.command()
@click.argument("destination")
@click.option("--whole", is_flag=True, help="Write every file again, also those that are there.")
@home_option
@json_option
def export(destination: str, whole: bool, home: Path | None, as_json: bool) -> None:
    """Publish the log as C2SP tlog-tiles files in DESTINATION, a folder or s3://… and its kin.

    Only what is new is written, the checkpoint last: a reader never meets a checkpoint
    whose tiles are not there. Runs beside the node. Records are published, payloads never.
    """
    with open_log(settings_of(home)) as opened:
        done = run_export(opened, open_store(destination), whole=whole)
    if as_json:
        print_json(done)
    else:
        console.print(
            f"{done.size:,} records published, {done.size - done.old_size:,} of them new "
            f"({done.files:,} files)"
        )


@log.command()
@click.argument("place")
@trust_options
@click.option("--since", type=_FILE, help="A checkpoint seen before, which this one must extend.")
@json_option
def check(
    place: str, vkeys: tuple[str, ...], policy: Path | None, since: Path | None, as_json: bool
) -> int:
    """Replay a published log from PLACE alone, a folder or a URL.

    Exit status 4 if anything is found.
    """
    trust = trust_of(vkeys, policy)
    published = open_published(place, trust)
    if since is not None:
        seen = SignedCheckpoint(since.read_text("utf-8", errors="replace"))
        published.extends(trust(seen))
    findings = published.check()
    if as_json:
        print_json({"size": published.head.size, "findings": findings})
    else:
        for finding in findings:
            console.print(finding.sentence(), style="red")
        console.print(
            f"{published.head.size:,} records of {published.head.origin}: "
            + (f"{len(findings)} findings" if findings else "sound"),
            style="bold red" if findings else "bold green",
        )
    return EvidenceError.exit_status if findings else 0


@log.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help=f"[record-INDEX{SUFFIX}]"
)
@home_option
@json_option
def proof(index: int, out: Path | None, home: Path | None, as_json: bool) -> None:
    """Write the C2SP proof that record INDEX is in the log: one small file, verified offline."""
    settings = settings_of(home)
    with open_log(settings) as opened:
        made = proof_of(opened, index, policy_of(settings))
    place = out or Path(f"record-{index}{SUFFIX}")
    place.write_text(made.encode(), "utf-8")
    facts = {"index": index, "size": made.checkpoint.size, "file": str(place)}
    if as_json:
        print_json(facts)
    else:
        console.print(facts_table("proof", list(facts.items())))


@log.command("verify-proof")
@click.argument("file", type=_FILE)
@trust_options
@click.option("--record", type=_FILE, help="The record's bytes.  [those the file carries]")
@json_option
def verify_proof(
    file: Path, vkeys: tuple[str, ...], policy: Path | None, record: Path | None, as_json: bool
) -> None:
    """Verify a `.tlog-proof` offline, with the log's key or a policy.

    Exit status 4 if it does not hold.
    """
    with file.open("rb") as opened:
        found = TlogProof.parse(opened.read(MAX_BYTES + 1))
    body = record.read_bytes() if record else found.extra
    if body is None:
        raise click.UsageError("the file carries no record: pass its bytes with --record")
    head = found.verify(leaf_hash(body), trust_of(vkeys, policy))
    facts = {
        "log": head.origin,
        "index": found.index,
        "size": head.size,
        "record": body.hex(),
    }
    if as_json:
        print_json(facts)
    else:
        console.print(facts_table("the record is in the log", list(facts.items())))


@log.command()
@chains_options
def anchors(home: Path | None, rpc: str | None, as_json: bool) -> None:
    """The anchors on each chain, as the log's notes have them; final where its chain says so.

    A note proves nothing: `veridict audit` holds it to the chain.
    """
    with open_evidence(settings_of(home, rpc)) as evidence:
        places = evidence.places()
        finals, names = final_blocks(places), {place.chain_id: place.name for place in places}
        noted = evidence.log.anchors()
    rows = [
        {
            "chain": names.get(anchor.chain_id, f"chain {anchor.chain_id}"),
            "chain_id": anchor.chain_id,
            "contract": anchor.contract,
            "size": anchor.size,
            "root": anchor.root.hex(),
            "time_s": anchor.time_s,
            "block_number": anchor.block_number,
            "tx_hash": anchor.tx_hash,
            "state": _state(anchor, finals),
        }
        for anchor in noted
    ]
    if as_json:
        print_json({"anchors": rows})
        return
    for row in rows:
        console.print("{chain}  {size:,} records  block {block_number:,}  {state}".format(**row))
        console.print(f"    {row['tx_hash']}", style="dim")
    if not rows:
        console.print("nothing is anchored yet")


def _state(anchor: Anchor, finals: Mapping[int, int]) -> str:
    """A chain that cannot be asked calls nothing final."""
    is_final = anchor.block_number <= finals.get(anchor.chain_id, -1)
    return (RecordState.FINAL if is_final else RecordState.ANCHORED).word


@log.command()
@home_option
@json_option
def witnesses(home: Path | None, as_json: bool) -> None:
    """What each configured witness answered last, and how far the quorum has come."""
    settings = settings_of(home)
    policy = policy_of(settings)
    urls = [witness.url for witness in policy.witnesses if witness.url] if policy else []
    with open_log(settings) as opened:
        opened.expect_witnesses(policy)
        told = last_answers(opened, (*urls, *settings.witnesses))
        witnessed, size = opened.witnessed(), opened.size
    if as_json:
        print_json({"witnessed": witnessed, "size": size, "answers": told})
        return
    if policy is None:
        console.print("no policy names witnesses")
        return
    facts = [(answer.url, answer.message) for answer in told]
    console.print(facts_table(f"{witnessed:,} of {size:,} records are witnessed", facts))


log.add_command(find)
