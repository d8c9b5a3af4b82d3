"""What every committed file keeps: its size, and silence about the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.parts import ROOT

MAX_LINES = 400
README_WORDS = 500
GENERATED = ("package-lock.json", "constraints.txt", "LICENSE")
GENERATED_FOLDERS = ("src/veridict/chain/artifacts/", "tests/vectors/", "benchmarks/results/")
# Written so that this file does not find itself.
MACHINE = re.compile(
    r"(?<![\w.])/(?:work|home/\w+|Users/\w+|opt/\w+|root)(?:/|\b)"
    r"|registry\.npm" + r"js|py" + r"pi\.(?:org|python)|files\.python" + r"hosted"
)


def _tracked() -> list[str]:
    run = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    if run.returncode != 0:
        pytest.skip("not a git clone")
    return [name for name in run.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def _text(name: str) -> str | None:
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def test_no_file_is_swollen() -> None:
    texts = {
        name: text
        for name in _tracked()
        if name not in GENERATED and not name.startswith(GENERATED_FOLDERS)
        if (text := _text(name)) is not None
    }
    assert texts
    assert {n: t.count("\n") for n, t in texts.items() if t.count("\n") > MAX_LINES} == {}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name}: {match.group()}"
        for name in _tracked()
        if (text := _text(name)) is not None
        for match in MACHINE.finditer(text)
    ]
    assert found == []


def test_the_readme_is_short() -> None:
    words = Path(ROOT / "README.md").read_text().split()
    assert 100 < len(words) <= README_WORDS
