"""One log on three chains at once: its own, another node's, and anvil behind a line that breaks."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.acts import act_on
from tests.support.anvil import running_anvil
from tests.support.box import FUNDS, RICH
from tests.support.cli import run
from tests.support.proxy import Proxy, proxied
from veridict.apps.settings import Settings
from veridict.apps.wire import EMBEDDED_CHAIN_ID, open_evidence, open_node
from veridict.chain.client import Client
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import RpcUnavailable
from veridict.core.nouns import Finding, RecordState
from veridict.services.anchoring.fleet import Tried
from veridict.services.anchoring.telling import chain_states
from veridict.services.audit import audit
from veridict.services.node import Node
from veridict.services.records import AnchorRecord

Capture = pytest.CaptureFixture[str]
NEAR, FAR = 777_001, 777_002
ANCHORS = 3  # the number of the audit's check


@dataclass(frozen=True, slots=True)
class Setting:
    home: Path
    near_url: str
    far: Proxy


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """`near` mines at once and is final at once; `far` is anvil, a block every 0.1 s."""
    base = tmp_path_factory.mktemp("chains")
    near = EmbeddedChain.open(base / "near", chain_id=NEAR, genesis_accounts=FUNDS)
    with near, running_anvil(chain_id=FAR) as far_url, proxied(far_url) as far:
        home = base / "home"
        home.mkdir()
        near_url = near.serve()
        (home / "chains.toml").write_text(
            f'[chain.near]\nrpc = "{near_url}"\nchain_id = {NEAR}\ndeadline_s = 120\n'
            f'[chain.far]\nrpc = "{far.url}"\n'
        )
        fund(Setting(home, near_url, far))
        yield Setting(home, near_url, far)


def fund(at: Setting) -> None:
    """As an operator does, to the addresses that the refusals name."""
    with open_node(Settings.read({}, home=at.home)) as node:
        tried = {each.name: each for each in node.anchor_everywhere()}
        for name, url in (("near", at.near_url), ("far", at.far.url)):
            problem = tried[name].problem
            assert problem is not None
            assert problem.code == "chain.no-funds"
            with HttpRpc(url) as rpc:
                Client(rpc, RICH).send(Tx(str(problem.facts["operator"]), value=10**18))


@pytest.fixture
def node(chains: Setting) -> Iterator[Node]:
    with open_node(Settings.read({}, home=chains.home)) as node:
        yield node


def act(node: Node) -> int:
    return node.append(*act_on(0, time_ms=node.parts.clock()))


def states(node: Node, index: int) -> dict[str, RecordState]:
    return chain_states(node.fleet, node.log, index, node.final_blocks())


def everywhere(node: Node) -> dict[str, Tried]:
    return {each.name: each for each in node.anchor_everywhere()}


def found(node: Node) -> list[Finding]:
    (check,) = (check for check in node.audit() if check.number == ANCHORS)
    return list(check.findings)


def test_every_chain_gets_its_anchor_and_state(node: Node) -> None:
    index = act(node)
    tried = everywhere(node)
    assert {name: each.problem for name, each in tried.items()} == dict.fromkeys(
        ("home", "near", "far")
    )
    chains = {a.chain_id: a for each in tried.values() if (a := each.anchor) is not None}
    assert set(chains) == {EMBEDDED_CHAIN_ID, NEAR, FAR}
    assert len({anchor.contract for anchor in chains.values()}) == 3
    assert len({anchor.log_id for anchor in chains.values()}) == 3  # each by an account of its own
    assert min(anchor.size for anchor in chains.values()) > index
    assert states(node, index) == {
        "home": RecordState.FINAL, "near": RecordState.FINAL, "far": RecordState.ANCHORED
    }  # fmt: skip
    assert found(node) == []


def test_notes_of_anchors_are_no_reason_to_anchor(node: Node) -> None:
    act(node)
    everywhere(node)
    size = node.log.size
    assert [each.anchor for each in node.anchor_everywhere()] == [None] * 3
    assert node.log.size == size


def test_a_chain_that_fails_holds_up_nobody(node: Node, chains: Setting) -> None:
    chains.far.cut()
    index = act(node)
    tried = everywhere(node)
    assert isinstance(tried["far"].problem, RpcUnavailable)
    assert tried["near"].anchor is not None
    now = states(node, index)
    assert now["near"] is RecordState.FINAL
    assert now["far"] is RecordState.CHECKPOINTED
    (finding,) = found(node)
    assert (finding.code, finding.where) == ("anchor.unexamined", "chain far")
    chains.far.heal()
    assert everywhere(node)["far"].anchor is not None
    assert states(node, index)["far"] is RecordState.ANCHORED
    assert found(node) == []


def test_a_node_starts_while_a_chain_is_away(chains: Setting) -> None:
    chains.far.cut()
    with open_node(Settings.read({}, home=chains.home)) as node:
        index = act(node)
        node.fleet.tend()
        tried = everywhere(node)
        assert tried["home"].anchor is not None
        chains.far.heal()
        assert everywhere(node)["far"].problem is None
        assert states(node, index)["far"] is RecordState.ANCHORED


def test_another_chain_behind_the_name_is_refused(chains: Setting) -> None:
    settings = Settings.read({}, home=chains.home, chains=[f"far={chains.near_url}"])
    with open_node(settings) as node:
        act(node)
        problem = everywhere(node)["far"].problem
        assert problem is not None
        assert (problem.code, problem.facts["found"]) == ("chain.wrong", NEAR)


def test_one_chain_under_two_names_is_refused(chains: Setting) -> None:
    settings = Settings.read({}, home=chains.home, chains=[f"again={chains.near_url}"])
    with open_node(settings) as node:
        problem = everywhere(node)["again"].problem
        assert problem is not None
        assert "anchored on already, as near" in problem.message


# -- the audit looks at each -------------------------------------------------------------------


def altered(chains: Setting, sql: str) -> list[Finding]:
    """What is found after `sql` was done to the store, which is then put right again."""
    path = chains.home / "log" / "log.sqlite"
    with closing(sqlite3.connect(path)) as db:
        before = db.execute("SELECT * FROM anchor").fetchall()
        with db:
            db.execute(sql)
    settings = Settings.read({}, home=chains.home)
    with open_evidence(settings) as evidence:
        checks = audit(
            evidence.log, evidence.network, operator=evidence.operator, shelf=evidence.shelf,
            elsewhere=evidence.elsewhere, since=evidence.since,
        )  # fmt: skip
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM anchor")
        marks = ", ".join("?" * len(before[0]))
        db.executemany(f"INSERT INTO anchor VALUES ({marks})", before)
    return [finding for check in checks if check.number == ANCHORS for finding in check.findings]


@pytest.mark.parametrize("chain_id", [EMBEDDED_CHAIN_ID, NEAR])
def test_a_hidden_note_of_any_chain_is_found(chains: Setting, chain_id: int) -> None:
    newest = f"(SELECT max(size) FROM anchor WHERE chain_id = {chain_id})"
    sql = f"DELETE FROM anchor WHERE chain_id = {chain_id} AND size = {newest}"
    (finding,) = altered(chains, sql)
    assert finding.code == "anchor.unnoted"
    assert ("near" in finding.where) is (chain_id == NEAR)


def test_an_altered_note_of_another_chain_is_found(chains: Setting) -> None:
    sql = f"UPDATE anchor SET root = zeroblob(32) WHERE chain_id = {NEAR}"
    assert {finding.code for finding in altered(chains, sql)} == {"anchor.altered"}


def test_a_record_that_claims_an_anchor_is_held_to_the_chain(
    chains: Setting, tmp_path: Path
) -> None:
    """In a copy: what is logged cannot be taken back."""
    home = tmp_path / "home"
    shutil.copytree(chains.home, home)
    with open_node(Settings.read({}, home=home)) as node:
        (mine,) = [a for a in node.log.anchors() if a.chain_id == NEAR][-1:]
        lie = AnchorRecord(
            mine.size - 1, node.log.root(mine.size - 1).hex(), NEAR, mine.contract,
            mine.tx_hash, mine.block_number, node.parts.clock(),
        )  # fmt: skip
        index = node.append(lie)
        (finding,) = found(node)
        assert finding.code == "anchor.claimed"
        assert f"record {index}" in finding.where


# -- the command line ----------------------------------------------------------------------------


def test_the_command_line_tells_each_chain(capsys: Capture, chains: Setting) -> None:
    at = ("--home", chains.home)
    done = run(capsys, "chain", "anchor", *at, "--json")
    assert (done.status, set(done.json["chains"])) == (0, {"near", "far"})
    status = run(capsys, "chain", "status", *at, "--json").json
    assert {name: told["chain_id"] for name, told in status["chains"].items()} == {
        "near": NEAR, "far": FAR
    }  # fmt: skip
    assert status["chains"]["near"]["posted"] == status["chains"]["near"]["anchors"] > 0
    anchors = run(capsys, "log", "anchors", *at, "--json").json["anchors"]
    assert {(row["chain"], row["chain_id"]) for row in anchors} == {
        ("home", EMBEDDED_CHAIN_ID), ("near", NEAR), ("far", FAR)
    }  # fmt: skip
    assert {row["state"] for row in anchors if row["chain"] == "near"} == {"final"}
    told = run(capsys, "log", "anchors", *at)
    assert "near" in told.out
    assert "near" in run(capsys, "chain", "status", *at).out


def of_anchors(audited: dict[str, Any]) -> list[dict[str, str]]:
    (check,) = (check for check in audited["checks"] if check["number"] == ANCHORS)
    found: list[dict[str, str]] = check["findings"]
    return found


def test_an_audit_without_a_chains_url_says_so(capsys: Capture, chains: Setting) -> None:
    file = chains.home / "chains.toml"
    text = file.read_text()
    file.write_text(text.partition("[chain.far]")[0])
    try:
        done = run(capsys, "audit", "--home", chains.home, "--json")
        assert done.status == 4
        assert [f["code"] for f in of_anchors(done.json)] == ["anchor.unexamined"]
        again = ("--chain", f"far={chains.far.url}", "--json")
        assert of_anchors(run(capsys, "audit", "--home", chains.home, *again).json) == []
    finally:
        file.write_text(text)


def test_a_failing_chain_shows_in_the_exit_status(capsys: Capture, chains: Setting) -> None:
    chains.far.cut()
    done = run(capsys, "chain", "anchor", "--home", chains.home, "--json")
    chains.far.heal()
    assert done.status == 3
    assert done.json["chains"]["far"]["problem"]["error"] == "chain.unavailable"
    assert done.json["chains"]["near"]["problem"] is None
