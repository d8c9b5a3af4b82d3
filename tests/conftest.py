"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.kept import Kept
from tests.support.missing import parts_named_in
from tests.support.postgres import Server, running_postgres

# Speed is measured by benchmarks, never by tests: no deadlines. CI draws the same examples again.
settings.register_profile("veridict", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "veridict")


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it, except where the large data sets are."""
    for name in list(os.environ):
        if name.startswith("VERIDICT_") and name != "VERIDICT_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests that do not stop it; each has its own schema."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty log, once in each store: the same laws hold in both."""
    if request.param == "sqlite":
        return Kept(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    return Kept(tmp_path, server.new_place())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's event loop occupies the thread until the session ends."""
    items.sort(key=lambda item: "tests/browser/" in item.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """Says in the last lines, after all else, which parts were missing: no skip goes unseen."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    parts = parts_named_in([str(report.longrepr[2]) for report in skipped if report.longrepr])
    if parts:
        terminalreporter.section("SKIPPED FOR WANT OF PARTS", sep="!", red=True, bold=True)
    for part in parts:
        terminalreporter.write_line(part, red=True)
