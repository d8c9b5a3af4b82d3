"""Four processes in four network namespaces: one is cut off, the others go on; it catches up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.test_federation_processes import ENVIRONMENT, WINDOWS, veridict, write
from tests.support.anvil import running_anvil
from tests.support.federated_members import some_rows
from tests.support.namespaces import Lan, lan
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.models.canonical import CanonicalModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
PORT, CUT_OFF = 7443, 3
SLOWER = {name: 2 * seconds for name, seconds in WINDOWS.items()}  # for who cannot be reached


def test_one_cut_off_and_healed_catches_up(tmp_path: Path) -> None:
    homes = [tmp_path / f"party{i}" for i in range(4)]
    tables = [write(tmp_path / f"rows{i}.csv", some_rows(i)) for i in range(4)]
    root = write(tmp_path / "root.csv", some_rows(1000, 80))
    rules = tmp_path / "rules.json"
    made = ("--label", "y", "--root", str(root), "--mode", "masked", "-o", str(rules))
    veridict("rules", str(tables[0]), *made)
    agreed = json.loads(rules.read_text())
    agreed |= {"windows": SLOWER, "settings": {"rounds": 3}, "rows_max": 120}
    rules.write_text(json.dumps(agreed))
    with lan(4) as net, running_anvil(host=net.host) as url:
        with HttpRpc(url) as rpc:
            for home in homes:
                owner = Keyring(home / "accounts.json").account("operator").address
                rpc.call("anvil_setBalance", [owner, hex(10**20)])
        at = ["--rpc", url, "--home"]
        contract = veridict("create", str(rules), *at, str(homes[0]))["contract"]
        cards = [
            veridict(
                "join", contract, "--rules", str(rules), "--table", str(table), "--root", str(root),
                "--url", f"https://{net.address(i)}:{PORT}", *at, str(home),
            )["card"]
            for i, (home, table) in enumerate(zip(homes, tables, strict=True))
        ]  # fmt: skip
        running = [start(net, i, contract, url, home, cards) for i, home in enumerate(homes)]
        try:
            final_at_least(contract, at, homes[0], 1)
            net.cut(CUT_OFF)
            lonely = status(contract, at, homes[0])
            final_at_least(contract, at, homes[0], lonely + 1)
            assert running[CUT_OFF].poll() is None  # it waits: there is no chain in sight
            net.heal(CUT_OFF)
            for process in running:
                assert process.wait(timeout=900) == 0
        finally:
            for process in running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    models = [(home / "model.vrdt").read_bytes() for home in homes]
    assert len(set(models)) == 1
    assert CanonicalModel(models[CUT_OFF]).n_features == 4


def start(
    net: Lan, i: int, contract: str, url: str, home: Path, cards: list[str]
) -> subprocess.Popen[bytes]:
    peers = [word for n, card in enumerate(cards) if n != i for word in ("--peer", card)]
    command = [
        *net.inside(i), sys.executable, "-m", "veridict.apps.cli.main", "federate", "train",
        contract, *peers, "--host", net.address(i), "--rpc", url, "--home", str(home),
        "--out", str(home / "model.vrdt"), "--json",
    ]  # fmt: skip
    with (home / "train.log").open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=ENVIRONMENT
        )


def status(contract: str, at: list[str], home: Path) -> int:
    return int(veridict("status", contract, *at, str(home))["last_final"])


def final_at_least(contract: str, at: list[str], home: Path, number: int) -> None:
    end = time.monotonic() + 900
    while time.monotonic() < end:
        if status(contract, at, home) >= number:
            return
        time.sleep(2)
    raise AssertionError((home / "train.log").read_text()[-4000:])
