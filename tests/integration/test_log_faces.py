"""`veridict log …` and a node with witnesses: what is published is sound, what fails is said."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acts import act_on
from tests.support.cli import run
from veridict.apps import wire, witnesses
from veridict.apps.settings import Settings
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import BadInput, PeerUnavailable
from veridict.core.nouns import RecordState
from veridict.ledger.log import Log
from veridict.proofs.add_checkpoint import Reply
from veridict.proofs.cosignature import Kind
from veridict.proofs.tlog_proof import TlogProof
from veridict.services.node import Node
from veridict.services.witness.desk import WitnessDesk, known_logs
from veridict.services.witness.opening import House, open_witness

Capture = pytest.CaptureFixture[str]
URL = "http://witness.example/"


class Line:
    """The way to the witness: up or down."""

    def __init__(self) -> None:
        self.desk: WitnessDesk | None = None

    def post(self, url: str, body: bytes) -> Reply:
        if self.desk is None:
            raise PeerUnavailable(f"{url} does not answer", remedy="start it")
        return self.desk.add_checkpoint(body)


@pytest.fixture(scope="module")
def line() -> Line:
    return Line()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[House]:
    with Log.open_readonly(home / "log") as log:
        known = known_logs([log.verifier])
    where = tmp_path_factory.mktemp("witness")
    opened = open_witness(where, "w.example/1", [Kind.ED25519], known, lambda: 1_700_000_000_000)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("node") / "home"
    wire.open_node(Settings(home, ml_dsa=True)).close()
    return home


@pytest.fixture(scope="module")
def node(home: Path, house: House, line: Line) -> Iterator[Node]:
    vkey = house.cosigners[0].verifier.vkey
    (home / witnesses.POLICY_FILE).write_text(f"witness one {vkey} {URL}\nquorum one\n")
    settings = Settings(home, ml_dsa=True)
    with wire.open_node(settings) as opened:
        opened.witnesses = witnesses.witnesses_of(
            settings, opened.log, opened.bus, wall_clock_ms, line.post
        )
        yield opened


def act(node: Node) -> int:
    return node.append(*act_on(0))


def told(events: queue.Queue[object]) -> list[tuple[str, object]]:
    found = []
    while not events.empty():
        event = events.get_nowait()
        found.append((event.kind, event.data))  # type: ignore[attr-defined]
    return found


def test_a_witness_that_is_down_delays_nothing_and_is_told(node: Node) -> None:
    index = act(node)
    with node.bus.subscribe() as events:
        done = node.anchor()
        assert done is not None
        assert done[0].size == index + 1
        ((kind, data),) = told(events)  # type: ignore[arg-type]
    assert kind == "witness"
    assert isinstance(data, witnesses.Told)
    assert (data.cosigned, data.finding) == (False, None)
    assert "does not answer" in data.message
    assert node.state(index) in (RecordState.ANCHORED, RecordState.FINAL)
    assert node.log.witnessed() == 0


def test_it_is_asked_again_and_then_everything_is_witnessed(
    node: Node, house: House, line: Line
) -> None:
    line.desk = house.desk
    assert node.anchor() is None  # nothing new to anchor, but a quorum to reach
    assert node.log.witnessed() == node.log.size
    index = act(node)
    done = node.anchor()
    assert done is not None
    head = next(h for h in node.log.checkpoints() if h.size == done[0].size)
    assert len(head.note.signatures) == 3  # the log's two keys, and the witness's
    assert (node.log.witnessed() or 0) > index


def test_a_folder_is_published_checked_and_its_damage_named(
    node: Node, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    at = ("--home", home)
    keys = run(capsys, "log", "keys", *at, "--json").json["vkeys"]
    assert len(keys) == 2
    out = tmp_path / "public"
    size = run(capsys, "log", "export", out, *at, "--json").json["size"]
    assert run(capsys, "log", "export", out, *at, "--json").json["files"] == 0
    for key in keys:
        sound = run(capsys, "log", "check", out, "--vkey", key, "--json")
        assert (sound.status, sound.json["size"]) == (0, size)
    policy = tmp_path / "policy"
    policy.write_text(f"log {keys[0]}\n" + (home / witnesses.POLICY_FILE).read_text())
    since = tmp_path / "seen"
    since.write_text(node.log.checkpoints()[-1].text)
    assert run(capsys, "log", "check", out, "--policy", policy, "--since", since).status == 0

    (bundle,) = (out / "tile/entries/000.p").iterdir()
    data = bytearray(bundle.read_bytes())
    data[10] ^= 1  # of the first record's body, which stands behind its length of two bytes
    bundle.write_bytes(data)
    damaged = run(capsys, "log", "check", out, "--vkey", keys[0])
    assert damaged.status == 4
    assert "record.altered at record 0" in damaged.out
    (out / "checkpoint").unlink()
    assert run(capsys, "log", "check", out, "--vkey", keys[0]).status == 2


def test_a_proof_is_written_and_verified_offline(
    node: Node, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    at = ("--home", home)
    (key, *_) = run(capsys, "log", "keys", *at, "--json").json["vkeys"]
    file = tmp_path / "one.tlog-proof"
    run(capsys, "log", "proof", "0", "--out", file, *at)
    policy = tmp_path / "policy"
    policy.write_text(f"log {key}\n" + (home / witnesses.POLICY_FILE).read_text())
    witnesses_alone = home / witnesses.POLICY_FILE
    for trust in (
        ("--vkey", key),
        ("--policy", policy),
        ("--vkey", key, "--policy", witnesses_alone),
    ):
        shown = run(capsys, "log", "verify-proof", file, *trust, "--json")
        assert (shown.status, shown.json["index"]) == (0, 0)
        assert bytes.fromhex(shown.json["record"]) == node.log.body(0)
    proof = TlogProof.parse(file.read_bytes())
    altered = TlogProof(proof.index, proof.hashes, proof.checkpoint, b"another record")
    file.write_text(altered.encode())
    assert run(capsys, "log", "verify-proof", file, "--vkey", key).status == 4
    own = tmp_path / "record"
    own.write_bytes(node.log.body(0))
    assert run(capsys, "log", "verify-proof", file, "--vkey", key, "--record", own).status == 0
    assert run(capsys, "log", "verify-proof", file).status == 2
    assert run(capsys, "log", "proof", "100000", *at).status == 2


def test_what_the_witnesses_said_last_is_shown(node: Node, home: Path, capsys: Capture) -> None:
    shown = run(capsys, "log", "witnesses", "--home", home, "--json").json
    assert shown["witnessed"] == node.log.witnessed()
    assert [(a["url"], a["cosigned"]) for a in shown["answers"]] == [(URL, True)]
    assert "records are witnessed" in run(capsys, "log", "witnesses", "--home", home).out


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"VERIDICT_LOG_KEYS": "rsa"}, "VERIDICT_LOG_KEYS"),
        ({"VERIDICT_WITNESSES": "http://127.0.0.1:1"}, "VERIDICT_WITNESSES"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        witnesses.policy_of(Settings.read(environment, home=tmp_path))


def test_settings_name_policy_witnesses_and_keys(tmp_path: Path) -> None:
    found = Settings.read(
        {
            "VERIDICT_POLICY": str(tmp_path / "p"),
            "VERIDICT_WITNESSES": "http://a, http://b",
            "VERIDICT_LOG_KEYS": "ed25519+ml-dsa-44",
        },
        home=tmp_path,
    )
    assert (found.policy, found.witnesses, found.ml_dsa) == (
        tmp_path / "p", ("http://a", "http://b"), True,
    )  # fmt: skip
    (tmp_path / "p").write_text("quorum none\n")
    assert json.dumps(witnesses.policy_of(found)) == "null"
