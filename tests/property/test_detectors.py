"""Laws of every detector: told in its own file, true of its own example, same in any batching."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.support.streams import Row, table
from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE, Decision, Policy
from veridict.watch.arrays import F64, I64
from veridict.watch.detectors import anomaly, base, learned, roster
from veridict.watch.detectors.base import Alert, Detector, Stateless, View, verdicts
from veridict.watch.detectors.listed import Listed
from veridict.watch.detectors.sudden import Sudden
from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import Together
from veridict.watch.lists import normal, read_list, shipped_lists

every_detector = pytest.mark.parametrize("module", roster.MODULES, ids=lambda m: m.__name__)


def view_of(payments: tuple[tuple[int, str, str, int], ...]) -> View:
    times = np.diff([p[0] for p in payments], prepend=payments[0][0]).tolist()
    drawn: list[Row] = [(t, *p[1:], None) for t, p in zip(times, payments, strict=True)]
    rows = table(drawn)
    sets = Together([PaymentFeatures(), HabitFeatures(), GraphFeatures()])
    return View(rows, sets.batch(rows), sets.features)


def parts(view: View, size: int) -> list[View]:
    n = len(view.rows)
    return [
        View(view.rows.slice(at, at + size), view.x[at : at + size], view.features)
        for at in range(0, n, size)
    ]


def times_habit(x: F64) -> I64:
    return np.asarray(np.nan_to_num(x[:, 0]) * SCORE_ONE, dtype=np.int64)


@cache
def fitted() -> anomaly.Anomaly:
    """On all of its example but the last payment; it has no state, so one serves all tests."""
    past = view_of(anomaly.EXAMPLE.payments)
    return anomaly.Anomaly.learned_from(parts(past, len(past.rows) - 1)[0], share=0.02)


def made(module: ModuleType, past: View) -> Detector:
    """The detector of `module`, with what it needs to be one."""
    if module is learned:
        policy = Policy(5 * SCORE_ONE, 50 * SCORE_ONE)
        return learned.Learned(times_habit, ("payer_times_habit",), policy)
    if module is anomaly:
        return fitted()
    return next(d for d in roster.ready() if type(d).__module__ == module.__name__)


@every_detector
def test_its_file_tells_its_title_scenario_and_remedy(module: ModuleType) -> None:
    told = module.__doc__ or ""
    assert re.match(r"[A-Z].+\.\n\nScenario: .+\nRemedy: .+", told, re.DOTALL)
    assert module.__name__.rpartition(".")[2] == made(module, view_of(module.EXAMPLE.payments)).name


def test_every_file_is_on_the_roster() -> None:
    beside = {f.stem for f in Path(base.__file__).parent.glob("*.py")}
    assert beside - {"__init__", "base", "roster"} == {
        module.__name__.rpartition(".")[2] for module in roster.MODULES
    }


@every_detector
def test_it_sees_its_own_example_and_nothing_else_there(module: ModuleType) -> None:
    view = view_of(module.EXAMPLE.payments)
    alerts = made(module, view).judge(view)
    seen = {alert.row for alert in alerts}
    assert set(module.EXAMPLE.alerts) <= seen
    # unlabelled learning flags a share of what it learned from; all others keep still elsewhere
    assert len(seen) <= 9 if module is anomaly else seen == set(module.EXAMPLE.alerts)
    assert all(alert.reason and 0 <= alert.strength <= 1 for alert in alerts)


@every_detector
@pytest.mark.parametrize("size", [1, 2, 7])
def test_batches_and_a_restored_state_give_the_same_alerts(module: ModuleType, size: int) -> None:
    view = view_of(module.EXAMPLE.payments)
    whole, running = made(module, view), made(module, view)
    at_once = [(a.row, a.decision, a.reason) for a in whole.judge(view)]
    found, start = [], 0
    for part in parts(view, size):
        found += [(start + a.row, a.decision, a.reason) for a in running.judge(part)]
        start += len(part.rows)
        revived = made(module, view)
        if state := running.save():
            revived.restore(state)
        running = revived
    assert sorted(found) == sorted(at_once)
    assert running.save() == whole.save()


def test_a_verdict_is_the_severest_and_tells_the_strongest_reason_first() -> None:
    class Says(Stateless):
        def __init__(self, name: str, alerts: list[tuple[int, Decision, float]]) -> None:
            self.name, self._alerts = name, alerts

        def judge(self, view: View) -> list[Alert]:
            return [Alert(row, self.name, d, "because", s) for row, d, s in self._alerts]

    view = view_of(((0, "a", "b", 1), (1, "c", "d", 1)))
    one = Says("one", [(0, Decision.REVIEW, 0.9)])
    two = Says("two", [(0, Decision.HOLD, 0.2), (0, Decision.REVIEW, 0.1)])
    first, second = verdicts(view, [one, two])
    assert first.decision is Decision.HOLD
    assert [a.detector for a in first.reasons] == ["two", "one", "two"]
    assert (second.decision, second.reasons) == (Decision.ALLOW, ())


def test_a_feature_that_no_set_gives_is_refused() -> None:
    rows = table([(0, "a", "b", 1, None)])
    view = View(rows, PaymentFeatures().batch(rows), PaymentFeatures().features)
    with pytest.raises(BadInput, match="no feature 'payer_times_habit'"):
        Sudden().judge(view)


def test_funds_from_a_list_are_reviewed_as_they_spread() -> None:
    payments = ((0, "bad", "a", 1000), (1, "a", "b", 1000), (2, "b", "c", 10), (3, "x", "y", 10))
    drawn: list[Row] = [(1, *p[1:], None) for p in payments]
    rows, graph = table(drawn), GraphFeatures(labelled=["bad"])
    view = View(rows, graph.batch(rows), graph.features)
    alerts = Listed({"bad": "the list"}).judge(view)
    said = {(a.row, a.decision) for a in alerts}
    assert said == {(0, Decision.HOLD), (1, Decision.REVIEW), (2, Decision.REVIEW)}


def test_the_shipped_lists_know_the_sanctioned_and_a_users_list_is_read(tmp_path: Path) -> None:
    sanctioned = "0x01e2919679362dFBC9ee1644Ba9C6da6D6245BB1"
    assert shipped_lists()[normal(sanctioned)] == "OFAC sanctions"
    own = tmp_path / "house.txt"
    own.write_text(f"# ours\n{sanctioned}\n\nMallory Ltd # since May\n")
    assert read_list(own) == {normal(sanctioned): "house", "Mallory Ltd": "house"}


def test_an_anomaly_detector_needs_some_past() -> None:
    with pytest.raises(BadInput, match="too few"):
        anomaly.Anomaly.learned_from(view_of(((0, "a", "b", 1),)))
