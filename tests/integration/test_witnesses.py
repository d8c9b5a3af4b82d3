"""A log and its witnesses as real processes on loopback: one lies, one is down, one sees a fork."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.support.ledger import make_entry, make_signer, make_vault
from tests.support.tlog import TIME_S, bodies, cosigner, head
from veridict.apps.peers import post
from veridict.core.nouns import RecordState
from veridict.ledger.log import Log
from veridict.proofs.add_checkpoint import MAX_BODY_BYTES, AddCheckpoint
from veridict.proofs.cosignature import CosignatureVerifier
from veridict.proofs.tlog_policy import Policy
from veridict.services.witnessing import Witnesses

SIGNER = make_signer()
LIAR = cosigner(66)


@dataclass(frozen=True, slots=True)
class Running:
    process: subprocess.Popen[str]
    url: str
    verifiers: list[CosignatureVerifier]


@contextmanager
def witness(directory: Path, name: str, *options: str) -> Iterator[Running]:
    command = [
        sys.executable, "-m", "veridict.apps.cli.main", "witness", "--json", "--port", "0",
        "--dir", str(directory), "--name", name, "--log", SIGNER.verifier.vkey, *options,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        keys = [CosignatureVerifier.from_vkey(vkey) for vkey in told["vkeys"]]
        assert told["logs"] == [SIGNER.name]
        yield Running(process, told["url"], keys)
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


class Lie(BaseHTTPRequestHandler):
    """Cosigns another head than the one it was asked about."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        mark = LIAR.sign(head(bodies(3), SIGNER).note.text, TIME_S)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(mark.line().encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def liar() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Lie)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def policy_of(threshold: int, verifiers: list[CosignatureVerifier]) -> Policy:
    lines = [f"witness w{n} {verifier.vkey}" for n, verifier in enumerate(verifiers)]
    names = " ".join(f"w{n}" for n in range(len(verifiers)))
    lines += [f"log {SIGNER.verifier.vkey}", f"group q {threshold} {names}", "quorum q"]
    return Policy.parse("\n".join(lines).encode())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path / "log", signer=SIGNER, vault=make_vault(tmp_path / "log")) as opened:
        opened.append([make_entry(str(number)) for number in range(300)])
        yield opened


def test_two_honest_of_four_are_a_quorum_though_one_lies_and_one_is_down(
    tmp_path: Path, log: Log
) -> None:
    with ExitStack() as running:
        one = running.enter_context(witness(tmp_path / "1", "w.example/1"))
        two = running.enter_context(
            witness(tmp_path / "2", "w.example/2", "--key", "ed25519", "--key", "ml-dsa-44")
        )
        false, down = running.enter_context(liar()), unused()
        known = policy_of(2, [one.verifiers[0], two.verifiers[1], LIAR.verifier])
        log.expect_witnesses(known)
        group = Witnesses(log, known, (one.url, two.url, false, down), post)
        running.callback(group.close)
        signed = group.collect()
        assert known.verify(signed) == signed.checkpoint
        assert log.state(299) is RecordState.WITNESSED
        lie, gone = group.answers[false], group.answers[down]
        assert lie.finding is not None
        assert lie.finding.code == "note.signature"
        assert "does not answer" in (gone.problem or "")

        log.append([make_entry("more")])
        assert known.satisfied(group.collect())
        assert log.witnessed() == 301


def test_a_split_view_is_caught_by_the_witness_and_survives_its_restart(
    tmp_path: Path, log: Log
) -> None:
    shown_to_others = AddCheckpoint(0, (), head(bodies(300, "another"), SIGNER))
    with witness(tmp_path / "1", "w.example/1") as one:
        first = httpx.post(f"{one.url}add-checkpoint", content=shown_to_others.encode())
        assert first.status_code == 200
        too_much = httpx.post(f"{one.url}add-checkpoint", content=b"x" * (MAX_BODY_BYTES + 1))
        assert too_much.status_code == 413
        assert httpx.get(f"{one.url}add-checkpoint").status_code == 405
        assert httpx.get(one.url).status_code == 404
    with witness(tmp_path / "1", "w.example/1") as one:
        known = policy_of(1, one.verifiers)
        log.expect_witnesses(known)
        group = Witnesses(log, known, (one.url,), post)
        assert not known.satisfied(group.collect())
        finding = group.answers[one.url].finding
        assert finding is not None
        assert finding.code == "witness.split-view"
        assert log.state(0) is RecordState.CHECKPOINTED
        group.close()
        again = httpx.post(f"{one.url}add-checkpoint", content=shown_to_others.encode())
        assert again.status_code == 409
        assert again.headers["content-type"] == "text/x.tlog.size"
        assert again.text == "300\n"
