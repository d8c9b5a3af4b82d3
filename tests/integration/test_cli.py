"""The command line: what it prints for people and machines, and how it ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support.cli import run
from tests.support.payment_files import payment_lines, write_stream
from tests.support.told import opened, prediction_at, told_copy
from veridict.apps.cli.main import ROSTER, cli
from veridict.services.receipt import Receipt

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_copy(tmp_path_factory.mktemp("told") / "home")


@pytest.fixture(scope="module")
def receipt(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("receipt") / "receipt.json"
    with opened(home) as node:
        path.write_bytes(node.receipt(prediction_at(node)).to_json())
    return path


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*path, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


ALL = [(), *commands(cli)]


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_help(capsys: Capture, command: tuple[str, ...]) -> None:
    shown = run(capsys, *command, "--help")
    assert shown.status == 0
    assert shown.out.startswith("Usage: veridict")
    assert shown.err == ""


def test_the_issue_s_commands_are_all_there() -> None:
    named = {" ".join(command) for command in ALL}
    assert named >= set(ROSTER) | {"model train", "model compile", "model register", "model show"}
    assert named >= {"chain status"}


@pytest.mark.parametrize("command", [command for command in ALL if command], ids=" ".join)
def test_every_command_speaks_json(command: tuple[str, ...]) -> None:
    """Groups that only lead to commands have nothing to say."""
    found: click.Command | None = cli
    for name in command:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    assert found is not None
    if isinstance(found, click.Group) and not found.invoke_without_command:
        return
    assert "--json" in {option for p in found.params for option in p.opts}


def test_version(capsys: Capture) -> None:
    assert run(capsys, "--version").out.startswith("veridict, version ")


def test_audit_passes(capsys: Capture, home: Path) -> None:
    told = run(capsys, "audit", "--home", home, "--json")
    assert told.status == 0
    assert told.json["passed"] is True
    assert [check["number"] for check in told.json["checks"]] == list(range(1, 10))
    shown = run(capsys, "audit", "--home", home)
    assert shown.status == 0
    assert "9 of 9 checks passed" in shown.out


def test_audit_ends_with_4_on_a_finding(capsys: Capture, home: Path, tmp_path: Path) -> None:
    lied = told_copy(tmp_path / "home")
    (model,) = (lied / "models").glob("*.model")
    model.write_bytes(model.read_bytes()[:-1] + b"\x00\x01")
    told = run(capsys, "audit", "--home", lied, "--json")
    assert told.status == 4
    assert told.json["passed"] is False
    found = [f["code"] for check in told.json["checks"] for f in check["findings"]]
    assert found == ["model.altered"]
    shown = run(capsys, "audit", "--home", lied)
    assert shown.status == 4
    assert "model.altered" in shown.out


def test_audit_of_another_operator_s_log(capsys: Capture, home: Path) -> None:
    assert run(capsys, "audit", "--home", home, "--operator", "0x" + "22" * 20).status == 4
    wrong = run(capsys, "audit", "--home", home, "--operator", "0x123", "--json")
    assert wrong.status == 2
    assert wrong.json["error"] == "input.bad"


def test_chain_status_and_anchor(capsys: Capture, home: Path) -> None:
    told = run(capsys, "chain", "status", "--home", home, "--json")
    assert told.status == 0
    assert told.json["anchors"] == 2
    assert told.json["anchored_records"] <= told.json["log_records"]
    assert run(capsys, "chain", "status", "--home", home).status == 0
    assert run(capsys, "chain", "anchor", "--home", home, "--json").status == 0
    again = run(capsys, "chain", "anchor", "--home", home, "--json")
    assert again.json == {"anchored": None, "gas": 0, "problem": None, "chains": {}}


def test_model_show(capsys: Capture, home: Path) -> None:
    told = run(capsys, "model", "show", "--home", home, "--json")
    assert told.status == 0
    assert told.json["schema"] == "veridict/model-card/1"
    shown = run(capsys, "model", "show", "--home", home).out
    assert told.json["model_id"] in "".join(shown.split())  # a narrow terminal folds it


def test_verify(capsys: Capture, home: Path, receipt: Path) -> None:
    told = run(capsys, "verify", receipt, "--home", home, "--json")
    assert (told.status, told.json["passed"]) == (0, True)
    assert run(capsys, "verify", receipt, "--home", home).status == 0


def test_verify_ends_with_4_on_a_finding(
    capsys: Capture, home: Path, receipt: Path, tmp_path: Path
) -> None:
    content = json.loads(receipt.read_bytes())
    content["inputs"] = "00" * (len(content["inputs"]) // 2)
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(content))
    told = run(capsys, "verify", forged, "--home", home, "--json")
    assert told.status == 4
    assert told.json["passed"] is False


def test_verify_ends_with_2_on_what_is_no_receipt(
    capsys: Capture, home: Path, tmp_path: Path
) -> None:
    for content in (b"", b"{}", b"\xff\xfe", b"[" * 100_000):
        path = tmp_path / "no-receipt.json"
        path.write_bytes(content)
        told = run(capsys, "verify", path, "--home", home, "--json")
        assert told.status == 2
        assert told.json["error"] == "input.bad"
        assert told.json["remedy"]


def test_verify_ends_with_3_without_an_answer(capsys: Capture, home: Path, receipt: Path) -> None:
    told = run(capsys, "verify", receipt, "--rpc", "http://127.0.0.1:9", "--json")
    assert told.status == 3
    assert told.json["error"] == "chain.unavailable"


def test_verify_without_any_chain(capsys: Capture, receipt: Path, tmp_path: Path) -> None:
    told = run(capsys, "verify", receipt, "--home", tmp_path / "nothing", "--json")
    assert told.status == 2
    assert "--rpc" in told.json["remedy"]


def test_an_honest_score_is_not_disputed(capsys: Capture, home: Path, receipt: Path) -> None:
    told = run(capsys, "dispute", receipt, "--home", home, "--json")
    assert told.status == 2
    assert (told.json["error"], told.json["facts"]["reason"]) == ("refused", "honest")


def test_errors_for_people_go_to_stderr(capsys: Capture, tmp_path: Path) -> None:
    shown = run(capsys, "audit", "--home", tmp_path / "nothing")
    assert shown.status == 2
    assert shown.out == ""
    assert shown.err.startswith("not-found: ")
    assert "what to do: " in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("audit", "--nonsense"),
        ("verify",),
        ("demo", "--rows", "3"),
        ("demo", "--scenario", "weather"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(capsys: Capture, arguments: tuple[str, ...]) -> None:
    shown = run(capsys, *arguments)
    assert shown.status == 2
    assert "Error: " in shown.err
    told = run(capsys, *arguments, "--json")
    assert told.status == 2
    assert told.json["error"] == "input.bad"
    assert told.json["remedy"]


def test_up_serves_and_tells(capsys: Capture, home: Path) -> None:
    told = run(capsys, "up", "--demo", "--once", "--port", "0", "--home", home, "--json")
    assert told.status == 0
    greeting = json.loads(told.out.splitlines()[0])
    assert greeting["dashboard"].startswith("http://127.0.0.1:")
    assert greeting["chain_rpc"].startswith("http://127.0.0.1:")
    assert told.json["scenario"] == "payments"
    assert not (home / "node.json").exists()


def test_up_needs_a_free_port(capsys: Capture, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = run(capsys, "up", "--once", "--port", port, "--home", home, "--json")
    assert told.status in (2, 3)
    assert port in told.json["message"]


def test_a_home_in_use_is_named(capsys: Capture, home: Path) -> None:
    with opened(home):
        told = run(capsys, "chain", "anchor", "--home", home, "--json")
    assert told.status == 3
    assert told.json["error"] == "node.running"


def test_a_second_demo_only_tells(capsys: Capture, home: Path) -> None:
    told = run(capsys, "demo", "--home", home, "--json")
    assert told.status == 0
    assert told.json["scenario"] == "payments"
    shown = run(capsys, "demo", "--home", home)
    assert "every lie was found, nothing honest was blamed" in shown.out


def test_from_a_file_of_one_s_own_to_receipts(capsys: Capture, tmp_path: Path) -> None:
    """train → compile → register → watch → predict → verify → audit, command by command."""
    stream = write_stream(tmp_path / "mine.csv", payment_lines(900))
    out, home = tmp_path / "model", tmp_path / "home"
    card = run(capsys, "model", "train", "--stream", stream, "--out", out, "--json")
    assert card.status == 0, card
    again = run(
        capsys, "model", "compile", out / "model.txt", "--out", tmp_path / "again", "--json"
    )
    assert again.json["model_id"] == card.json["model_id"]
    registered = run(capsys, "model", "register", out / "model.vdm", "--home", home, "--json")
    assert registered.json["model_id"] == card.json["model_id"]
    later = write_stream(tmp_path / "later.csv", payment_lines(100, prefix="q", seed=2))
    watched = run(capsys, "watch", "--stream", later, "--home", home, "--json")
    assert (watched.json["decided"], watched.json["decided_before"]) == (100, 0)
    watched = run(capsys, "watch", "--stream", later, "--home", home, "--json")
    assert (watched.json["decided"], watched.json["decided_before"]) == (0, 100)
    features = card.json["features"]
    rows = tmp_path / "rows.csv"
    rows.write_text(f"id,{','.join(features)}\nfirst{',1' * len(features)}\n")
    receipts = tmp_path / "receipts"
    made = run(capsys, "predict", rows, "--receipts", receipts, "--home", home, "--json")
    assert made.status == 0
    assert [row["request_id"] for row in made.json] == ["first"]
    (written,) = receipts.iterdir()
    assert Receipt.from_json(written.read_bytes()).payload.request.id == "first"
    assert run(capsys, "verify", written, "--home", home).status == 0
    for command in (["predict", str(rows)], ["audit"], ["chain", "status"], ["model", "show"]):
        shown = run(capsys, *command, "--home", home)
        assert shown.status == 0 or command == ["audit"]
        assert shown.out
