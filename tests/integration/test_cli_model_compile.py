"""`veridict model compile --rows`: what the rows show is what the integers are spent on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPRegressor

from tests.support.cli import run
from tests.support.missing import missing
from veridict.models.canonical import CanonicalModel
from veridict.models.compile import compile_model

try:
    from skl2onnx import to_onnx
except ImportError:
    missing("onnx", "install the dev dependencies")

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
Capture = pytest.CaptureFixture[str]
ROWS = np.random.default_rng(3).normal(20, 4, size=(80, 3)).round(2)


def test_a_network_without_a_scaler_needs_rows(capsys: Capture, tmp_path: Path) -> None:
    network = MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=1)
    source = to_onnx(network.fit(ROWS, ROWS[:, 0]), ROWS[:1].astype(np.float32))
    file, rows = tmp_path / "network.onnx", tmp_path / "rows.csv"
    file.write_bytes(source.SerializeToString())
    lines = [f"r{n},{','.join(map(str, row))}" for n, row in enumerate(ROWS.tolist())]
    rows.write_text("\n".join(["id,a,b,c", *lines]))
    refused = run(capsys, "model", "compile", file, "--json")
    assert (refused.status, refused.json["error"]) == (2, "model.unsupported")
    told = run(capsys, "model", "compile", file, "--rows", rows, "--json").json
    assert told["model_id"] == compile_model(source, rows=ROWS).model.id.hex()
    assert CanonicalModel((tmp_path / "network.vdm").read_bytes()).id.hex() == told["model_id"]


def test_rows_make_a_bound_tighter(capsys: Capture, tmp_path: Path) -> None:
    linear = LogisticRegression().fit(ROWS, ROWS[:, 0] > 20)
    file, rows = tmp_path / "linear.onnx", tmp_path / "rows.parquet"
    file.write_bytes(to_onnx(linear, ROWS[:1].astype(np.float32)).SerializeToString())
    columns = {name: ROWS[:, number] for number, name in enumerate("abc")}
    parquet.write_table(pa.table(columns), rows)
    command = ("model", "compile", file, "--json")
    blind, seen = run(capsys, *command).json, run(capsys, *command, "--rows", rows).json
    bounds = [float(told["error_bound"].split()[0]) for told in (blind, seen)]
    assert bounds[1] < bounds[0] / 3
    parquet.write_table(pa.table({name: columns[name] for name in "ab"}), rows)
    refused = run(capsys, *command, "--rows", rows)
    assert (refused.status, refused.json["error"]) == (2, "input.bad")
    assert "(80, 2)" in refused.json["message"]
