"""A stream is decided once a row, whichever rows have records already."""

from __future__ import annotations

from pathlib import Path

from tests.support.told import ROWS, payments, told_copy
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.services.watching import watch
from veridict.watch.training import split_by_time


def test_rows_that_the_demo_decided_are_not_decided_again(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    scenario = payments()
    rows = scenario.load().slice(0, ROWS)
    trained_on = split_by_time(rows).test
    with open_node(Settings(home), scenario) as node:
        first = watch(node, rows, scenario.extractor())
        assert (first.decided, first.seen_before) == (trained_on, ROWS - trained_on)
        again = watch(node, rows, scenario.extractor())
        assert (again.decided, again.seen_before) == (0, ROWS)
