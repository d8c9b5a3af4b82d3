"""The reference page names every contract, event and shared module; its gas tables are fresh."""

from __future__ import annotations

import json

from tools.compile_contracts import ARTIFACTS, ROOT
from tools.gas_table import gas_table, judge_table

PAGE = (ROOT / "docs" / "reference" / "contracts.md").read_text()


def test_every_contract_and_event_is_named() -> None:
    for path in ARTIFACTS.glob("*.json"):
        artifact = json.loads(path.read_text())
        assert f"`{artifact['name']}`" in PAGE
        section = PAGE.split(f"\n## {artifact['name']}\n")[1].split("\n## ")[0]
        for entry in artifact["abi"]:
            if entry["type"] == "event":
                assert f"`{entry['name']}`" in section, (artifact["name"], entry["name"])


def test_every_shared_module_is_named() -> None:
    for path in (ROOT / "contracts" / "lib").glob("*.vy"):
        assert f"`{path.stem}`" in PAGE


def test_the_gas_tables_are_fresh() -> None:
    assert gas_table() in PAGE
    assert judge_table() in PAGE
