"""Four processes of the real command, over mutual TLS and a real node: they end with one model.

One is killed with SIGKILL in the middle and started again; a stranger without a member's
certificate gets no answer.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.anvil import running_anvil
from tests.support.federated_members import some_rows
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.federated.learners import Rows
from veridict.models.canonical import CanonicalModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WINDOWS = {"commit_s": 24, "reveal_s": 8, "vote_s": 8, "challenge_s": 4}
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore"}


def veridict(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "veridict.apps.cli.main", "federate", *arguments, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=400, env=ENVIRONMENT)
    assert run.returncode == 0, run.stdout + run.stderr
    answer: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return answer


def write(path: Path, rows: Rows) -> Path:
    table = np.column_stack([rows.features, rows.labels])
    header = "f0,f1,f2,f3,y"
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt="%.6g")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("mode", ["masked"])
def test_four_processes_train_one_model(tmp_path: Path, mode: str) -> None:
    homes = [tmp_path / f"party{i}" for i in range(4)]
    tables = [write(tmp_path / f"rows{i}.csv", some_rows(i)) for i in range(4)]
    root = write(tmp_path / "root.csv", some_rows(1000, 80))
    rules = tmp_path / "rules.json"
    veridict(
        "rules",
        str(tables[0]),
        "--label",
        "y",
        "--root",
        str(root),
        "--mode",
        mode,
        "-o",
        str(rules),
    )
    agreed = json.loads(rules.read_text())
    agreed |= {"windows": WINDOWS, "settings": {"rounds": 2}, "rows_max": 120}
    rules.write_text(json.dumps(agreed))

    with running_anvil() as url:
        with HttpRpc(url) as rpc:
            for home in homes:
                owner = Keyring(home / "accounts.json").account("operator").address
                rpc.call("anvil_setBalance", [owner, hex(10**20)])
        at = ["--rpc", url, "--home"]
        contract = veridict("create", str(rules), *at, str(homes[0]))["contract"]
        ports = [free_port() for _ in homes]
        cards = [
            veridict(
                "join", contract, "--rules", str(rules), "--table", str(table), "--root", str(root),
                "--url", f"https://127.0.0.1:{port}", *at, str(home),
            )["card"]
            for home, table, port in zip(homes, tables, ports, strict=True)
        ]  # fmt: skip
        # Everybody is given the card of the first alone, and learns of the others from it;
        # the first is given all, since a stranger's hand is not shaken.
        running = [
            start(contract, url, home, cards if i == 0 else cards[:1])
            for i, home in enumerate(homes)
        ]
        try:
            wait_for_round(contract, at, homes[0], 2)
            os.killpg(running[2].pid, signal.SIGKILL)
            running[2].wait()
            refused_without_a_certificate(ports[0])
            running[2] = start(contract, url, homes[2], cards[:1])
            for process in running:
                assert process.wait(timeout=400) == 0
        finally:
            for process in running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        status = veridict("status", contract, *at, str(homes[0]))
    models = [(home / "model.vrdt").read_bytes() for home in homes]
    assert len(set(models)) == 1
    assert CanonicalModel(models[0]).n_features == 4
    assert status["last_final"] >= 4
    assert [member["stands"] for member in status["members"]] == [True] * 4


def start(contract: str, url: str, home: Path, cards: list[str]) -> subprocess.Popen[bytes]:
    peers = [word for card in cards for word in ("--peer", card)]
    command = [
        sys.executable, "-m", "veridict.apps.cli.main", "federate", "train", contract, *peers,
        "--rpc", url, "--home", str(home), "--out", str(home / "model.vrdt"), "--json",
    ]  # fmt: skip
    with (home / "train.log").open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=ENVIRONMENT
        )


def wait_for_round(contract: str, at: list[str], home: Path, number: int) -> None:
    end = time.monotonic() + 200
    while time.monotonic() < end:
        if veridict("status", contract, *at, str(home))["round"] >= number:
            return
        time.sleep(2)
    raise AssertionError((home / "train.log").read_text()[-4000:])


def refused_without_a_certificate(port: int) -> None:
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        httpx.post(
            f"https://127.0.0.1:{port}/v1/federation/state", content=b"x", verify=False, timeout=10
        )
