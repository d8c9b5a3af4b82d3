"""The benchmark runner keeps what was not measured again; stored figures are well formed."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import machine, measure, merged, stored, subjects
from benchmarks.row import Row


def _row(name: str, subject: str, value: float = 1.0) -> Row:
    return Row(name, value, "s", command=f"python -m benchmarks {subject}", machine="m")


def test_rows_of_other_subjects_are_kept() -> None:
    old = [_row("a.x", "a"), _row("a.gone", "a"), _row("b.y", "b")]
    new = [_row("a.x", "a", 2.0)]
    assert merged(old, new, ["a"]) == [_row("a.x", "a", 2.0), _row("b.y", "b")]


def test_the_runner_says_how_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    import benchmarks.row

    monkeypatch.setattr(benchmarks.row, "run", lambda: [Row("row.x", 1.0, "s")], raising=False)
    (row,) = measure("row")
    assert row.command == "python -m benchmarks row"
    assert row.machine == machine()


def test_stored_figures_are_well_formed() -> None:
    rows = stored()
    assert [row.name for row in rows] == sorted({row.name for row in rows})
    for row in rows:
        assert row.unit
        assert row.machine
        assert (row.peer == "") == (row.peer_value is None)


def test_every_subject_can_be_run() -> None:
    assert not {"row", "__main__", "__init__"} & set(subjects())
