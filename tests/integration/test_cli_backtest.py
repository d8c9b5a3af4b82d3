"""`veridict backtest` and `veridict detectors` as their users call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.card_fraud import write
from tests.support.cli import run

RULES = """
rules:
  - name: far-beyond
    when: payer_times_habit > 3
    decide: review
    because: the amount is {payer_times_habit:.1f} times the payer's habit
  - name: terminal-with-cases
    when: payee_streak >= 2
    decide: hold
    because: "{payee_streak:.0f} confirmed cases at {payee}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("backtest")
    write(made)
    (made / "rules.yaml").write_text(RULES)
    return made


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str | Path) -> Any:
    ran = run(capsys, "backtest", "--stream", folder / "cards.parquet", "--json", *words)
    assert ran.status == 0, ran.out + ran.err
    return ran.json


def test_rules_and_detectors_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, folder, "--rules", folder / "rules.yaml", "--detector", "sudden")
    rules, sudden = found["outlooks"]
    assert rules["name"].startswith("rules:")
    assert 0.5 < rules["precision"]["low"] < rules["precision"]["value"] <= 1.0
    assert {name.rpartition("/")[2] for name, _ in rules["causes"]} == {
        "far-beyond", "terminal-with-cases",
    }  # fmt: skip
    (pair,) = found["comparisons"]
    assert (pair["first"], pair["second"]) == (rules["name"], "sudden")
    both = pair["both_flagged"]
    assert both + pair["only_first"] == rules["flagged"]
    assert both + pair["only_second"] == sudden["flagged"]


@pytest.mark.slow
def test_a_model_is_tried_behind_what_it_learned_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = ("--stream", folder / "cards.parquet")
    trained = run(capsys, "model", "train", *stream, "--out", folder / "model", "--json")
    assert trained.status == 0, trained.out + trained.err
    model = ("--model", folder / "model" / "model.vdm")
    found = told(capsys, folder, *model)
    (honest,) = found["outlooks"]
    assert found["rows_learned_from"] == 0
    assert abs(honest["rows"] - 1200) < 10  # the last fifth
    flattered = told(capsys, folder, *model, "--from", "2023-11-15")
    assert flattered["rows_learned_from"] > 4000
    ran = run(capsys, "backtest", *stream, *model)
    assert ran.status == 0
    assert "cases a day" in ran.out
    early = run(capsys, "backtest", *stream, *model, "--to", "2023-11-20")
    assert early.status == 2
    assert "no row lies between" in early.err


def test_detectors_tell_of_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "detectors", "--json").json
    assert {one["name"] for one in listed} >= {"learned", "anomaly", "rings", "look_alike"}
    assert all(one["title"] and one["scenario"] and one["remedy"] for one in listed)
    one = run(capsys, "detectors", "rings")
    assert one.status == 0
    assert "Remedy:" in one.out
    assert run(capsys, "detectors", "nothing").status == 2
