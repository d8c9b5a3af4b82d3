"""The documents are true: links lead somewhere, and what is shown as run, runs.

Blocks fenced as `python` and `console` are executed, page by page, in a fresh
directory. Python blocks of a page share their names. In a console block a line
starting with "$ " is run by sh, and the lines below it are its output, where
"..." stands for anything. Blocks fenced as `sh` and `text` are only shown.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.support.parts import ROOT
from veridict.apps.cli.main import cli

FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SLOW = {"papers.md", "audit-pack.md", "learn-from-feedback.md", "log-faces.md"}
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _blocks(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text())


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_fences_are_of_a_known_kind(page: Path) -> None:
    assert {kind for kind, _ in _blocks(page)} <= {"python", "console", "sh", "text", "json"}


def _run_pages() -> list[object]:
    """Those that show something as run; what takes ten seconds and more is for `make test-all`."""
    shown = [page for page in PAGES if {kind for kind, _ in _blocks(page)} & {"python", "console"}]
    return [
        pytest.param(page, marks=pytest.mark.slow) if page.name in SLOW else page for page in shown
    ]


@pytest.mark.parametrize("page", _run_pages(), ids=_named)
def test_what_is_shown_as_run_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    names: dict[str, object] = {"__name__": "__main__"}
    for kind, text in _blocks(page):
        if kind == "python":
            exec(compile(text, _named(page), "exec"), names)
        elif kind == "console":
            _run_console(text)


def _run_console(text: str) -> None:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        run = subprocess.run(
            command, shell=True, capture_output=True, text=True, timeout=100, check=False
        )
        shown = run.stdout + run.stderr
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert doctest.OutputChecker().check_output(expected, shown, flags), f"{command}:\n{shown}"


def test_commands_that_are_shown_exist() -> None:
    """Every `veridict ...` of a sh block: the command is there and takes the options shown."""
    lines = [
        line.split("#")[0].split()
        for page in PAGES
        for kind, text in _blocks(page)
        if kind == "sh"
        for line in text.splitlines()
        if line.startswith("veridict ")
    ]
    assert lines
    for _, command, *rest in lines:
        shown = cli.get_command(click.Context(cli), command)
        while isinstance(shown, click.Group) and rest:
            below = shown.get_command(click.Context(shown), rest[0])
            if below is None:
                break
            shown, rest = below, rest[1:]
        assert shown, command
        options = {option for parameter in shown.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, command
