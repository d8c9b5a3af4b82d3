"""The same demo on a real Ethereum node, over a connection that breaks twice on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.anvil import CHAIN_ID
from tests.support.box import RICH
from tests.support.cli import Ran, run
from tests.support.gate import a_live_hold_settles_only_by_a_person
from tests.support.proxy import Proxy, proxied
from tests.support.told import ROWS, opened, prediction_at, tell
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import NoFunds, RpcUnavailable
from veridict.core.nouns import RecordState
from veridict.core.progress import Step
from veridict.ledger.log import Log
from veridict.services.demo.summary import Summary

Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Told:
    """A home on anvil, what its demo saw, and the errors met on the way."""

    home: Path
    summary: Summary
    errors: tuple[RpcUnavailable, ...]
    sizes: tuple[int, ...]


def fund(url: str, address: str, wei: int) -> None:
    with HttpRpc(url) as rpc:
        Client(rpc, RICH).send(Tx(to=address, data=b"", value=wei))


def interrupted(home: Path, proxy: Proxy, title: str, done: int) -> tuple[RpcUnavailable, int]:
    """The demo, whose chain goes away at a step; the error, and what the log then holds."""

    def cut(step: Step) -> None:
        if step.title == title and step.done >= done:
            proxy.cut()

    with pytest.raises(RpcUnavailable) as caught:
        tell(home, rpc=proxy.url, progress=cut)
    with Log.open_readonly(home / "log") as log:
        size = log.size
    proxy.heal()
    return caught.value, size


@pytest.fixture(scope="module")
def told(anvil_url: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = tmp_path_factory.mktemp("anvil") / "home"
    fund(anvil_url, operator_of(home, anvil_url), 10**18)
    with proxied(anvil_url) as proxy:
        first = interrupted(home, proxy, "decided and logged", 512)
        second = interrupted(home, proxy, "settled on chain", 3)
        summary = tell(home, rpc=proxy.url)
    return Told(home, summary, (first[0], second[0]), (first[1], second[1]))


def operator_of(home: Path, url: str) -> str:
    """Whom a first, unfunded start asks the user to fund."""
    with pytest.raises(NoFunds) as caught:
        opened(home, url).close()
    return str(caught.value.facts["operator"])


def test_the_story_is_the_same(told: Told) -> None:
    assert told.summary.clean
    assert told.summary.held > 0
    assert told.summary.sample.allowed == 6
    assert told.summary.dispute.honest_refusal == "Judge: score is honest"


def test_a_chain_that_goes_away_is_a_clear_error(told: Told) -> None:
    for error in told.errors:
        assert error.exit_status == 3
        assert "nothing recorded is lost" in error.remedy


def test_what_was_recorded_stayed_and_the_rest_came_once(told: Told, anvil_url: str) -> None:
    with opened(told.home, anvil_url) as node:
        assert 512 < told.sizes[0] < told.sizes[1] <= node.log.size
        asked = [payload.request.id for payload in node.log.payloads() if payload is not None]
        assert len(set(asked)) == len(asked) >= ROWS // 5
        assert all(check.passed for check in node.audit())
        assert node.state(prediction_at(node)) >= RecordState.ANCHORED


def test_a_live_hold_settles_only_by_a_person(told: Told, anvil_url: str) -> None:
    with opened(told.home, anvil_url) as node:
        a_live_hold_settles_only_by_a_person(node)
        node.anchor()
        assert all(check.passed for check in node.audit())


def verified(receipt: Path, url: str, elsewhere: Path) -> Ran:
    """`veridict verify` in another process, at a place where no node ever was."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("VERIDICT_")}
    command = [sys.executable, "-m", "veridict.apps.cli.main", "verify", str(receipt)]
    done = subprocess.run(
        [*command, "--rpc", url, "--json"],
        capture_output=True,
        text=True,
        cwd=elsewhere,
        env={**surroundings, "HOME": str(elsewhere)},
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_stranger_verifies_a_receipt_by_url_alone(
    told: Told, anvil_url: str, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    with opened(told.home, anvil_url) as node:
        receipt.write_bytes(node.receipt(prediction_at(node)).to_json())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = verified(receipt, anvil_url, elsewhere)
    assert done.status == 0, done
    assert done.json["passed"] is True
    assert list(elsewhere.iterdir()) == []


def test_a_forged_receipt_is_found_by_url_alone(
    capsys: Capture, told: Told, anvil_url: str, tmp_path: Path
) -> None:
    with opened(told.home, anvil_url) as node:
        content = json.loads(node.receipt(prediction_at(node)).to_json())
    body = bytearray.fromhex(content["record"])
    body[31] ^= 1  # the last bit of the score
    path = tmp_path / "forged.json"
    path.write_text(json.dumps({**content, "record": body.hex()}))
    done = run(capsys, "verify", path, "--rpc", anvil_url, "--json")
    assert done.status == 4
    found = {f["code"] for check in done.json["checks"] for f in check["findings"]}
    assert found == {"receipt.inclusion", "receipt.score"}


@pytest.mark.slow
def test_the_command_line_on_anvil(capsys: Capture, told: Told, anvil_url: str) -> None:
    place = ("--home", told.home, "--rpc", anvil_url, "--json")
    assert run(capsys, "audit", *place).status == 0
    assert run(capsys, "chain", "status", *place).json["chain_id"] == CHAIN_ID
    assert run(capsys, "demo", *place).status == 0


def test_the_home_belongs_to_its_chain(capsys: Capture, told: Told) -> None:
    """Without --rpc the embedded chain would be asked, which knows nothing of these records."""
    done = run(capsys, "audit", "--home", told.home, "--json")
    assert done.status == 3
    assert done.json["error"] == "chain.wrong"
    assert done.json["facts"]["expected"] == CHAIN_ID
