"""A missing part is announced in the last lines of a run, and fails it under CI=true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.parts import ROOT

pytest_plugins = ["pytester"]

WANTS_A_PART = """
    from tests.support.missing import missing

    def test_needs_a_part():
        missing("flux capacitor", "as root: apt-get install flux")

    def test_needs_it_too():
        missing("flux capacitor", "as root: apt-get install flux")
"""


def _run(pytester: pytest.Pytester) -> pytest.RunResult:
    pytester.makeconftest((ROOT / "tests/conftest.py").read_text())
    pytester.makepyfile(WANTS_A_PART)
    pytester.makeini("[pytest]\npythonpath = " + str(Path(ROOT)))
    return pytester.runpytest_subprocess("-p", "no:boa_test", "-p", "no:cacheprovider")


def test_it_skips_loudly(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = _run(pytester)
    result.assert_outcomes(skipped=2)
    last = [line for line in result.outlines if line][-3:]
    assert "SKIPPED FOR WANT OF PARTS" in last[0]
    assert last[1] == "flux capacitor (as root: apt-get install flux)"


def test_it_fails_under_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    _run(pytester).assert_outcomes(failed=2)
