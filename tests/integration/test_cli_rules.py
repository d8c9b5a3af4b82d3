"""`veridict rules` and `veridict data check` as their users call them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from veridict.apps.cli.main import main

RULES = """
rules:
  - name: big-and-new
    when: amount > 300 and pair_age is missing
    decide: review
    because: a first payment of {amount:.2f}
  - name: never
    when: amount > 1000000
    decide: hold
    because: absurd
"""
HEAD = ["id", "time", "payer", "payee", "amount", "label"]


def stream(path: Path) -> Path:
    """40 payments a day apart: every tenth is large, to somebody new, and a fraud."""
    rows = [
        [i, 1_700_000_000 + 86_400 * i, "a", f"thief{i}" if i % 10 == 9 else "shop",
         500 if i % 10 == 9 else 20 + i % 3, int(i % 10 == 9)]
        for i in range(40)
    ]  # fmt: skip
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    return file


def test_sound_rules_are_named_and_unsound_ones_refused(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = run(capsys, "rules", "check", str(rules), "--json")
    assert (status, json.loads(out)["rules"]) == (0, ["big-and-new", "never"])
    rules.write_text(RULES.replace("pair_age", "pair_aeg"))
    status, out = run(capsys, "rules", "check", str(rules), "--json")
    assert status == 2
    assert "'pair_age'" in json.loads(out)["remedy"]


def test_history_tells_what_rules_are_worth(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = stream(tmp_path / "history.csv")
    status, out = run(capsys, "rules", "test", str(rules), "--stream", str(history), "--json")
    assert status == 0
    first, never, together = json.loads(out)
    assert (first["hits"], first["events"], float(first["recall"])) == (4, 4, 1.0)
    assert never["remark"] == "never fired"
    assert together["rule"] == "all rules"
    assert "big-and-new" in run(capsys, "rules", "test", str(rules), "--stream", str(history))[1]


def test_every_feature_has_a_name_and_a_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    known = json.loads(run(capsys, "rules", "features", "--json")[1])
    assert {"amount", "pair_age", "payer_times_habit", "cycles_6_10", "payer_taint"} <= set(known)
    assert all("{v" in text for text in known.values())


def test_a_leaking_file_ends_with_the_status_of_failed_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaking = tmp_path / "twice.csv"
    lines = ["id,time,label"] + [f"{i % 5},{i},{i % 2}" for i in range(50)]
    leaking.write_text("\n".join(lines))
    status, out = run(capsys, "data", "check", str(leaking), "--json")
    assert status == 4
    assert ("duplicates", "leak") in {(s["check"], s["severity"]) for s in json.loads(out)}
    clean = tmp_path / "clean.csv"
    clean.write_text("\n".join(["id,time,label"] + [f"{i},{i * 7},{'' if i > 40 else i % 2}"
                                                    for i in range(50)]))  # fmt: skip
    status, out = run(capsys, "data", "check", str(clean))
    assert status == 0
    assert "label" in out
