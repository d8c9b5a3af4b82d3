"""What is shipped is what the sources say."""

from __future__ import annotations

import json
import re

import pytest
from eth_hash.auto import keccak

from tools import compile_contracts
from tools.compile_contracts import ARTIFACTS, ROOT, compile_all, differences, main
from veridict.chain.artifacts import Artifact


@pytest.mark.slow
def test_the_shipped_artifacts_are_the_compiled_sources() -> None:
    fresh = compile_all()
    assert len(fresh) >= 6
    assert differences(fresh) == []


def test_sources_are_named_with_their_digests() -> None:
    guard = json.loads((ARTIFACTS / "Guard.json").read_text())
    parts = ["allowance", "control", "eip712", "escrow", "merkle", "record", "thresholds"]
    assert list(guard["sources"]) == ["Guard.vy", *(f"lib/{part}.vy" for part in parts)]
    assert str(ROOT) not in json.dumps(guard)


def test_the_judge_is_bound_to_the_scorer_that_is_shipped() -> None:
    code = Artifact.load("Scorer").runtime
    pinned = re.search(
        r"SCORER_CODE: .* = (0x[0-9a-f]{64})", (ROOT / "contracts/Judge.vy").read_text()
    )
    assert pinned is not None
    assert pinned[1] == "0x" + keccak(code).hex()


def test_every_external_function_is_documented() -> None:
    """NatSpec on externals: the compiler finds a notice for each that is not a plain getter."""
    for path in sorted((ROOT / "contracts").rglob("*.vy")):
        undocumented = [
            head
            for head, doc in _externals(path.read_text())
            if "@notice" not in doc and "def __init__" not in head
        ]
        assert not undocumented, path.name


def test_a_stale_artifact_is_found(tmp_path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "Old.json").write_text("{}")
    monkeypatch.setattr(compile_contracts, "ARTIFACTS", tmp_path)
    monkeypatch.setattr(compile_contracts, "compile_all", lambda: {"New.json": "{}"})
    assert main(["--check"]) == 1
    assert "Old.json differs from its source: run `make contracts`" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["New.json"]


def _externals(source: str) -> list[tuple[str, str]]:
    """(first line, docstring) of each external function."""
    found = []
    for part in source.split("@external\n")[1:]:
        head = part[: part.index(":\n") + 1]
        body = part[part.index(":\n") :].split('"""')
        found.append((head, body[1] if len(body) > 1 else ""))
    return found
