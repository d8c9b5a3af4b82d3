"""`veridict case`: the same work in a home and at a running node, and a folder to hand on."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.cases import decided, payment
from tests.support.cli import run
from tests.support.told import opened, told_copy
from veridict.apps.casework import asked
from veridict.apps.running import Running
from veridict.apps.serving import serving
from veridict.apps.settings import Settings
from veridict.apps.staff import Staff
from veridict.core.errors import Refused
from veridict.services.cases.suppressing import Limits

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two open cases on a ring of two: `a` pays `b`, and `b` pays `a`."""
    home = told_copy(tmp_path_factory.mktemp("case") / "home")
    with opened(home) as node:
        decided(node, [payment("there", "a", "b", 10**9), payment("back", "b", "a", 10**8)])
        node.anchor()
    return home


@pytest.fixture
def place(home: Path) -> tuple[str, ...]:
    return ("--home", str(home), "--json")


def test_a_case_is_worked_on_in_a_home(
    capsys: Capture, home: Path, place: tuple[str, ...], tmp_path: Path
) -> None:
    first, second = run(capsys, "case", "list", "--limit", "2", *place).json
    there, back = first["row"]["index"], second["row"]["index"]
    assert first["expected_loss_minor"] > second["expected_loss_minor"] > 10**7
    assert run(capsys, "case", "links", str(there), *place).json["ring"] == ["a", "b"]
    nameless = run(capsys, "case", "note", str(there), "hm", *place)
    assert (nameless.status, nameless.json["error"]) == (2, "input.bad")
    given = run(capsys, "case", "assign", str(there), "--to", "Bob", "--by", "Ada", *place)
    assert given.json["to"] == "Bob"
    mine = run(capsys, "case", "list", "--with", "Bob", *place).json
    assert [one["row"]["index"] for one in mine] == [there]
    done = run(capsys, "case", "release", str(back), "--by", "Ada", "--stop", *place).json
    (stop,) = run(capsys, "case", "suppressions", *place).json
    assert (stop["index"], stop["state"]) == (done["suppression"], "active")
    assert run(capsys, "case", "confirm", str(back), "--by", "Bob", *place).status == 2
    revoked = run(capsys, "case", "revoke", str(stop["index"]), "--by", "Ada", *place)
    assert revoked.json["state"] == "revoked"
    shown = run(capsys, "case", "show", str(there), "--home", home)
    assert "open, with Bob" in shown.out
    assert "the payer" in shown.out or "the payee" in shown.out  # in the scenario's words
    check_export(capsys, there, place, tmp_path)


def check_export(capsys: Capture, index: int, place: tuple[str, ...], folder: Path) -> None:
    told = run(capsys, "case", "export", str(index), "--to", folder, "--by", "Ada", *place).json
    report = (folder / "report.json").read_bytes()
    assert sha256(report).hexdigest() == told["sha256"]
    assert json.loads(report)["ring"] == ["a", "b"]
    receipts = sorted((folder / "receipts").iterdir())
    assert len(receipts) == told["receipts"] == 2
    home = place[:2]
    for receipt in receipts:
        assert run(capsys, "verify", receipt, *home, "--json").json["passed"] is True
    redacted = folder / "redacted"
    run(capsys, "case", "export", str(index), "--to", redacted, "--by", "Ada", "--redact", *place)
    assert sorted(path.name for path in redacted.iterdir()) == ["report.html", "report.json"]


def test_a_running_node_is_asked_with_the_token_of_a_member(home: Path) -> None:
    token = Staff(home).add("Ann", "analyst")
    settings = Settings(home)
    with (
        opened(home) as node,
        serving(node, settings, host="127.0.0.1", port=0, anchor_every_s=3600) as served,
        asked(Running(0, served.web_url, ""), Settings(home, token=token)) as work,
    ):
        made, more = decided(node, [payment(f"by http {n}", "c", "d", 10**9) for n in range(2)])
        assert work.assign(made.index, to="Ann", by="", note="").by == "Ann"
        assert work.note(made.index, note="called", by="").note == "called"
        listed = work.cases(status=None, limit=9, order="loss", assigned="Ann")
        assert [one.row.index for one in listed] == [made.index]
        assert work.links(made.index).cases == [made.index, more.index]
        for denied in (
            lambda: work.act(made.index, "release", by="", note="", stop=Limits()),
            lambda: work.suppress(made.index, Limits(), by="", note=""),
            lambda: work.revoke(made.index, by="", note=""),
            lambda: work.export(made.index, by="", note="", redacted=False),
        ):
            with pytest.raises(Refused, match="takes the lead"):
                denied()
        assert work.act(made.index, "release", by="", note="", stop=None).by == "Ann"
        assert work.case(made.index).status == "released"
        assert all(one.state == "revoked" for one in work.suppressions())
        assert json.loads(work.export(made.index, by="", note="", redacted=True).json)["redacted"]


def test_staff_are_kept_without_a_node(capsys: Capture, tmp_path: Path) -> None:
    place = ("--home", tmp_path, "--json")
    made = run(capsys, "case", "staff", "add", "Lea", "--role", "lead", *place).json
    assert Staff(tmp_path).whose(made["token"]) is not None
    assert run(capsys, "case", "staff", "list", *place).json == [{"name": "Lea", "role": "lead"}]
    assert run(capsys, "case", "staff", "remove", "Lea", *place).status == 0
    assert run(capsys, "case", "staff", "remove", "Lea", *place).status == 2
