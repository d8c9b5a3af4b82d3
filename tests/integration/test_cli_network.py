"""`veridict network` from learning to an attested forecast, each command as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.network import PAST, mainnet, small_models, small_planner
from veridict.apps.cli.main import cli
from veridict.services.network import shelf
from veridict.services.network.views import FOLDER, kept

BLOCK = str(int(mainnet().number[PAST + 500]))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shelf.save(tmp_path / FOLDER, small_models(), small_planner())
    return tmp_path


def _run(*arguments: str) -> Any:
    run = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return json.loads(run.output)


def test_a_forecast_is_told_kept_and_drawn(home: Path, tmp_path: Path) -> None:
    chart = tmp_path / "fees.html"
    told = _run(
        "network", "forecast", "--home", str(home), "--at", BLOCK, "--cap", "60",
        "--chart", str(chart),
    )  # fmt: skip
    assert told["block"] == int(BLOCK)
    assert [fan["horizon"] for fan in told["fans"]] == [5, 25]
    assert told["inclusion"][0]["cap_gwei"] == 60
    view = kept(home / FOLDER)
    assert view is not None
    assert view.next_fee_gwei == told["next_fee_gwei"]
    page = chart.read_text()
    assert page.count("<svg") == 2
    assert "<script" not in page


def test_a_plan_says_post_or_wait(home: Path) -> None:
    told = _run("network", "plan", "--home", str(home), "--at", BLOCK, "--within", "20")
    assert told["post"] is (told["fee_gwei"] <= told["accepted_gwei"])
    assert told["left_blocks"] == 100
    now = _run("network", "plan", "--home", str(home), "--at", BLOCK, "--within", "0")
    assert now["post"] is True


def test_savings_stand_between_posting_at_once_and_hindsight(home: Path) -> None:
    months = _run("network", "savings", "--home", str(home), "--within", "20")
    assert [month["month"] for month in months] == ["2023-12", "all"]
    for month in months:
        assert month["planner"] < month["hindsight"]
        assert month["planner_of_hindsight"] == pytest.approx(
            month["planner"] / month["hindsight"], abs=1e-3
        )


def test_young_models_are_not_learned_again(home: Path) -> None:
    told = _run("network", "retrain", "--home", str(home))
    assert told == {"due": False, "adopted": False}


def test_an_attested_forecast_passes_the_audit(home: Path) -> None:
    told = _run("network", "forecast", "--home", str(home), "--at", BLOCK, "--attest")
    assert len(told["logged"]) == 2 * 3  # horizons × quantiles
    again = _run("network", "forecast", "--home", str(home), "--at", BLOCK, "--attest")
    assert min(again["logged"]) > max(told["logged"])
    audited = _run("audit", "--home", str(home))
    assert audited["passed"] is True


def test_without_models_it_says_what_to_run(tmp_path: Path) -> None:
    from veridict.core.errors import NotFound

    with pytest.raises(NotFound) as error:
        CliRunner().invoke(
            cli, ["network", "plan", "--home", str(tmp_path)], catch_exceptions=False
        )
    assert "veridict network learn" in error.value.remedy
