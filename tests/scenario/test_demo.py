"""The demo's whole story, told once, told again, and cut off wherever one likes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.told import ROWS, opened, payments, tell, told_copy
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.chain.contract import Contract
from veridict.core.errors import Refused
from veridict.core.nouns import Decision, PredictionRecord
from veridict.core.progress import Step
from veridict.services.demo.story import demo
from veridict.services.demo.summary import Summary, summary_of
from veridict.services.demo.tamper import TAMPERINGS
from veridict.services.node import Node
from veridict.services.records import OutcomesRecord, decode
from veridict.solutions.roster import scenario_of
from veridict.watch.training import split_by_time

PROJECT = Path(__file__).parents[2]


def check_story(summary: Summary) -> None:
    """What must hold of any telling, whatever the data."""
    assert summary.clean
    assert [check.number for check in summary.checks] == list(range(1, 10))
    assert all(check.passed and check.examined for check in summary.checks)
    assert [seen.name for seen in summary.tamperings] == [each.name for each in TAMPERINGS]
    assert all(seen.caught for seen in summary.tamperings)
    assert summary.rows_agreeing == summary.rows_compared > 0
    assert summary.allowed + summary.reviewed + summary.held == summary.predictions > 0
    assert summary.sample.allowed == 6
    assert summary.sample.released_by_human == summary.sample.review == 2
    assert summary.sample.refused_by_human == 1
    assert summary.sample.held == 3
    assert summary.sample.cheat_refused.startswith("Guard: no valid prediction")
    assert summary.dispute.claimed < summary.dispute.actual
    assert int(summary.dispute.slashed_wei) > 0
    assert summary.dispute.honest_refusal == "Judge: score is honest"
    assert summary.gas_per_prediction > 0


def check_one_record_a_row(node: Node, rows: int) -> None:
    """Every row of the live stream once, in order, numbered without a gap; each judged once."""
    data = node_rows(rows)
    records = [decode(body) for body in node.log.bodies()]
    predictions = [
        (index, record)
        for index, record in enumerate(records)
        if isinstance(record, PredictionRecord)
    ]
    assert [record.sequence for _, record in predictions] == list(range(len(predictions)))
    payloads = [node.log.payload(index) for index, _ in predictions]
    asked = [payload.request.id for payload in payloads if payload is not None]
    assert max(Counter(asked).values()) == 1
    in_stream = [name for name in asked if "/" not in name]  # "guard/number": the paid sample
    assert in_stream == data
    judged = [
        sequence
        for record in records
        if isinstance(record, OutcomesRecord)
        for first, last in record.spans
        for sequence in range(first, last + 1)
    ]
    assert len(set(judged)) == len(judged) == len(in_stream)


def node_rows(rows: int) -> list[str]:
    data = payments().load().slice(0, rows)
    return data.ids[split_by_time(data).test :]


def test_the_story_on_payments(tmp_path: Path) -> None:
    with opened(told_copy(tmp_path / "home")) as node:
        summary = summary_of(node.log, "payments", "amlsim")
        assert summary is not None
        check_story(summary)
        check_one_record_a_row(node, ROWS)
        assert all(check.passed for check in node.audit())
        assert node.board.open_cases == summary.reviewed + summary.held - 3


def test_the_story_on_credit(tmp_path: Path) -> None:
    summary = tell(tmp_path / "home", rows=3000, scenario=scenario_of("credit"))
    check_story(summary)
    assert (summary.scenario, summary.data) == ("credit", "uci")


def test_tokens_moved_as_the_story_says(tmp_path: Path) -> None:
    with opened(told_copy(tmp_path / "home")) as node:
        assert isinstance(node.guard, Contract)
        states = Counter(node.payment_state(number) for number in range(1, 20))
        assert states["paid"] == 6
        assert states["released"] == 2
        assert states["refused"] == 1
        assert states["held"] == 2
        assert states["open"] == 1  # the cheat's, which nothing has settled


def test_a_second_telling_does_nothing_again(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        before = node.log.size, node.network.client.block_number()
        steps: list[Step] = []
        again = demo(node, payments(), home, rows=ROWS, progress=steps.append)
        assert again == summary_of(node.log, "payments", "amlsim")
        assert (node.log.size, node.network.client.block_number()) == before
        assert steps == []


def test_one_home_tells_one_story(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    scenario = scenario_of("credit")
    with (
        open_node(Settings(home), scenario) as node,
        pytest.raises(Refused, match="holds the demo of payments on amlsim") as caught,
    ):
        demo(node, scenario, home, rows=3000)
    assert "--home" in caught.value.remedy


class Cut(Exception):
    """Somebody pulled the plug."""


CUTS = (
    ("registered on chain", 1),
    ("decided and logged", 512),
    ("settled on chain", 3),
    ("lie: one noted anchor is altered", 1),
    ("the judge contract ran the model and slashed", 1),
)


@pytest.mark.slow
def test_a_demo_cut_off_anywhere_goes_on(tmp_path: Path) -> None:
    """One home, cut at every point in turn, each time going on from where it was."""
    home = tmp_path / "home"
    for title, done in CUTS:

        def cut(step: Step, title: str = title, done: int = done) -> None:
            if step.title == title and step.done >= done:
                raise Cut

        with pytest.raises(Cut):
            tell(home, progress=cut)
    check_story(tell(home))
    with opened(home) as node:
        check_one_record_a_row(node, ROWS)
        assert all(check.passed for check in node.audit())
        assert node.board.counts[Decision.ALLOW] > 0


def test_a_demo_killed_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.support.told import tell\n"
        "def told(step):\n"
        "    print(step.title, step.done, flush=True)\n"
        "tell(Path(sys.argv[1]), progress=told)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as out:
        for line in out:
            if line.startswith("decided and logged"):
                break
        time.sleep(0.05)  # somewhere in the replay, or behind it
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    check_story(tell(home))
    with opened(home) as node:
        check_one_record_a_row(node, ROWS)
        assert all(check.passed for check in node.audit())
