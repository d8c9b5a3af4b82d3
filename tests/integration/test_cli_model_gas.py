"""`veridict model gas`: on files, on registered ids, on given rows; and what it refuses."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.models import random_mlp, random_tree
from tests.support.told import opened, told_copy
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import TreeModel

Capture = pytest.CaptureFixture[str]
RNG = random.Random(1)
TREES = CanonicalModel.from_parts(TreeModel(3, 0, tuple(random_tree(RNG, 3, 9) for _ in range(5))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.vdm"
    path.write_bytes(TREES.bytes)
    return path


def test_a_file_on_random_rows(capsys: Capture, file: Path) -> None:
    told = run(capsys, "model", "gas", file, "--count", "5", "--json").json
    assert told["model_id"] == TREES.id.hex()
    assert (told["bytes"], told["chunks"], told["rows"]) == (len(TREES.bytes), 1, 5)
    assert 21_000 < told["call_gas"]["min"] <= told["call_gas"]["median"] <= told["call_gas"]["max"]
    assert 1_000 < told["again_gas"] < told["call_gas"]["min"] - 21_000  # accounts are warm
    assert told["deployment_gas"] > 200 * told["bytes"]
    assert told["register_gas"] > 21_000
    assert "registration" in run(capsys, "model", "gas", file, "--count", "1").out


def test_given_rows(capsys: Capture, file: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,a,b,c\nx,1.5,,2\ny,0,-1,1e9\n")
    told = run(capsys, "model", "gas", file, "--rows", rows, "--json").json
    assert told["rows"] == 2
    rows.write_text("a,b\n1,2\n")
    refused = run(capsys, "model", "gas", file, "--rows", rows)
    assert (refused.status, "2 features, the model 3" in refused.err) == (2, True)


def test_a_network(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "mlp.vdm"
    path.write_bytes(CanonicalModel.from_parts(random_mlp(4)).bytes)
    assert run(capsys, "model", "gas", path, "--count", "2", "--json").json["rows"] == 2


def test_a_registered_id(capsys: Capture, tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        model_id = node.at_work().model.id.hex()
    told = run(capsys, "model", "gas", model_id, "--home", home, "--count", "1", "--json").json
    assert told["model_id"] == model_id


def test_what_is_no_model_is_refused(capsys: Capture, tmp_path: Path) -> None:
    refused = run(capsys, "model", "gas", "nonsense")
    assert (refused.status, "no file and no model id" in refused.err) == (2, True)
    path = tmp_path / "broken.vdm"
    path.write_bytes(b"VRDT")
    assert run(capsys, "model", "gas", path).status in (2, 4)


def test_a_model_too_large_for_the_registry_is_refused(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "wide.vdm"
    path.write_bytes(CanonicalModel.from_parts(TreeModel(257, 0, ())).bytes)
    refused = run(capsys, "model", "gas", path)
    assert refused.status == 2
    assert "257 features" in refused.err
