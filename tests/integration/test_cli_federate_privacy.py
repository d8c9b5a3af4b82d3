"""Commands of two parties that match, and of whoever promises privacy in a federation's rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import run
from tests.support.federated_members import some_rows
from veridict.apps.federating.home import MemberHome
from veridict.apps.federating.journal import journal_of
from veridict.federated.learners import Rows
from veridict.federated.privacy.accounting import epsilon_of
from veridict.services.federation.records import PrivacyRecord
from veridict.services.federation.rules import FederationRules

Capsys = pytest.CaptureFixture[str]


def names(path: Path, column: str, values: list[str]) -> Path:
    path.write_text("\n".join([f"{column},other", *(f"{value},1" for value in values)]) + "\n")
    return path


def test_two_parties_find_what_both_have(tmp_path: Path, capsys: Capsys) -> None:
    tables = {
        "bank": names(tmp_path / "bank.csv", "iban", ["A1", "B2", " C3 ", "B2", ""]),
        "shop": names(tmp_path / "shop.csv", "payer", ["C3", "D4", "A1"]),
    }
    columns = {"bank": "iban", "shop": "payer"}
    for who, table in tables.items():
        made = run(
            capsys, "federate", "match", "offer", table, "--column", columns[who],
            "--name", "fraud 2026", "--folder", tmp_path / who, "--json",
        )  # fmt: skip
        assert (made.status, made.json["identifiers"]) == (0, 3)
        assert b"A1" not in (tmp_path / who / "offer").read_bytes()
        assert (tmp_path / who / "secret").stat().st_mode & 0o777 == 0o600
    other = {"bank": "shop", "shop": "bank"}
    for who in tables:
        offer = tmp_path / other[who] / "offer"
        made = run(
            capsys, "federate", "match", "answer", offer, "--folder", tmp_path / who, "--json"
        )
        assert made.json["theirs"] == 3
    for who in tables:
        made = run(
            capsys, "federate", "match", "result", tmp_path / other[who] / "answer",
            "--folder", tmp_path / who, "-o", tmp_path / who / "common.txt", "--json",
        )  # fmt: skip
        assert made.json["common"] == 2
        assert (tmp_path / who / "common.txt").read_text() == "A1\nC3\n"


def test_a_matching_refuses_what_is_out_of_order_or_too_much(
    tmp_path: Path, capsys: Capsys
) -> None:
    table = names(tmp_path / "t.csv", "id", ["a", "b", "c"])
    offer: list[str | Path] = ["federate", "match", "offer", table, "--name", "x", "--folder"]
    assert run(capsys, *offer, tmp_path / "one", "--column", "nobody").status == 2
    assert run(capsys, *offer, tmp_path / "one", "--column", "id").status == 0
    assert "already" in run(capsys, *offer, tmp_path / "one", "--column", "id").err
    assert run(capsys, *offer, tmp_path / "two", "--column", "id").status == 0
    answer: list[str | Path] = ["federate", "match", "answer", tmp_path / "one" / "offer"]
    assert run(capsys, *answer, "--folder", tmp_path / "three").status == 2
    too_many = run(capsys, *answer, "--folder", tmp_path / "two", "--most", "2")
    assert (too_many.status, "3 identifiers" in too_many.err) == (4, True)


def table_of(path: Path, rows: Rows) -> Path:
    np.savetxt(
        path, np.column_stack([rows.features, rows.labels]), delimiter=",",
        header="f0,f1,f2,f3,y", comments="", fmt="%.6g",
    )  # fmt: skip
    return path


def test_a_promise_is_written_into_the_rules(tmp_path: Path, capsys: Capsys) -> None:
    ours = table_of(tmp_path / "ours.csv", some_rows(0))
    root = table_of(tmp_path / "root.csv", some_rows(1000, 80))
    rules = tmp_path / "rules.json"
    drafted: list[str | Path] = [
        "federate",
        "rules",
        ours,
        "--label",
        "y",
        "--root",
        root,
        "-o",
        rules,
    ]
    assert run(capsys, *drafted).status == 0
    promise: list[str | Path] = [
        "federate",
        "promise",
        rules,
        "--root",
        root,
        "--epsilon",
        "3",
        "--rows-min",
        "50",
    ]
    told = run(capsys, *promise, "--noise", "shared", "--json")
    assert told.status == 0, told.err
    agreed = FederationRules.decode(rules.read_bytes().strip())
    assert agreed.privacy is not None
    guard = agreed.privacy.guard
    assert (guard.noise, guard.sharers, guard.rows_min) == ("shared", 2, 50)
    assert epsilon_of(guard.multiplier, told.json["rounds"], 1e-5) <= 3.0
    assert agreed.digest.hex() == told.json["digest"]
    assert run(capsys, *promise[:-4], "--epsilon", "3", "--rows-min", "5000").status == 2
    assert run(capsys, *promise[:-4], "--epsilon", "0", "--rows-min", "50").status == 2
    wrong = table_of(tmp_path / "wrong.csv", some_rows(7, 80))
    assert "not the one" in run(capsys, *promise, "--root", wrong).err
    spent_of(tmp_path, capsys, agreed)


def spent_of(tmp_path: Path, capsys: Capsys, agreed: FederationRules) -> None:
    """What a member's own log says, in words."""
    contract = "0x" + "ab" * 20
    asked: list[str | Path] = ["federate", "spent", contract, "--home", tmp_path, "--json"]
    assert run(capsys, *asked).out == ""
    home = MemberHome.at(tmp_path, contract)
    for round_ in (1, 2):
        with journal_of(home, agreed) as keep:  # each time by a fresh process, as it were
            keep(
                PrivacyRecord(
                    contract, 0, round_, round_, "row", "shared", "1.5", "1e-05", "3.0", 1
                )
            )
    told = run(capsys, *asked)
    assert [json.loads(line)["round"] for line in told.out.splitlines()] == [1, 2]
