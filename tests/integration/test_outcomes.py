"""Labels told after the event: logged once, learned by the watcher, the same after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.feeds import arrivals, paid, watcher_of
from tests.support.told import opened, told_copy
from veridict.core.errors import BadInput
from veridict.services.feeding.memory import Means, Memory
from veridict.services.records import OutcomesRecord, decode
from veridict.services.telling import judged, tell
from veridict.services.trial.comparing import labels_of
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.feeds.rows import arrived, seconds_of

WEEK_S = 7 * 86_400


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_copy(tmp_path_factory.mktemp("outcomes") / "home")


def memory(folder: Path) -> Memory:
    return Memory(folder / "state", lambda: Means(HabitFeatures(label_delay_s=WEEK_S), ()))


def test_labels_are_logged_once_and_learned_in_the_logs_order(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(home) as node:
        watcher = watcher_of(node, home)
        events = [paid(f"o-{n}", at=100 * n, payer="ann", payee="shop") for n in range(6)]
        watcher.decide("list", arrivals(events[:3]), live=False)
    (tmp_path / "labels.csv").write_text("id,label\no-0,1\no-1,1\no-2,\nstranger,0\n")
    told = run(capsys, "outcomes", tmp_path / "labels.csv", "--home", home, "--json")
    assert told.status == 0, told.out + told.err
    assert {k: told.json[k] for k in ("events", "others", "unknown", "before")} == {
        "events": 2, "others": 0, "unknown": 1, "before": 0,
    }  # fmt: skip
    with opened(home) as node:
        again = tell(node, [("o-0", 1), ("o-1", 1)])
        assert (again.index, again.before) == (None, 2)
        record = decode(node.log.body(told.json["index"]))
        assert isinstance(record, OutcomesRecord)
        indices = [node.log.find_request(f"o-{n}") for n in range(2)]
        assert list(judged(node.log, record)) == [(index, 1) for index in indices]
        assert set(labels_of(node.log)) >= set(record.positives)
        live = memory(tmp_path / "live")
        live.follow(node.log)
        watcher_of(node, home).decide("list", arrivals(events[3:]), live=False)
        streak = [f.name for f in live.means.features.features].index("payee_streak")
        live.follow(node.log)
        anew = memory(tmp_path / "anew")
        anew.follow(node.log)
        assert live.means.features.save() == anew.means.features.save()
        checks = node.audit()
        assert not [finding for check in checks for finding in check.findings]
        later = paid("later", at=900, payer="bob", payee="shop")
        view, _ = live.look(arrived([later], live.in_time(seconds_of([later.time_s]))))
        assert view.x[0, streak] == 2.0


def test_two_labels_of_one_request_are_refused(home: Path) -> None:
    with opened(home) as node, pytest.raises(BadInput, match="told twice"):
        tell(node, [("o-0", 1), ("o-0", 0)])


def test_a_file_without_labels_is_told_apart(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("id,label\nx,maybe\n")
    bad = run(capsys, "outcomes", tmp_path / "bad.csv", "--home", home)
    assert bad.status == 2
    assert "row 1" in bad.err
    other = run(capsys, "outcomes", tmp_path / "bad.csv", "--home", home, "--label", "fraud")
    assert other.status == 2
    assert "no column 'fraud'" in other.err
