"""What predictions and anchors cost, from the meter to the log and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import run
from tests.support.told import opened, told_copy
from veridict.services.energy import EnergyRecord
from veridict.services.records import decode


def test_a_node_tells_its_log_what_its_work_cost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        width = node.at_work().model.n_features
        node.predict(np.zeros((300, width)))
        assert node.anchor() is not None
        index = node.tell_energy()
        assert index is not None
        told = decode(node.log.body(index))
        assert isinstance(told, EnergyRecord)
        assert {name: use.count for name, use in told.used.items()} == {
            "anchor": 1,
            "prediction": 300,
        }
        assert all(use.cpu_us > 0 and use.energy_uj > 0 for use in told.used.values())
        assert node.tell_energy() is None  # nothing was done since
        node.predict(np.zeros((200, width)))
        node.tell_energy()
        assert node.board.energy[told.source]["prediction"].count == 500
        assert {check.passed for check in node.audit()} == {True}
    found = run(capsys, "energy", "--home", home, "--json")
    assert found.json[told.source]["prediction"]["count"] == 500
    assert "J a thousand" in run(capsys, "energy", "--home", home).out
