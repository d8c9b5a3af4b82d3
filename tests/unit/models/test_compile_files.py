"""Model files are told apart by their first bytes; what is dangerous or damaged is refused."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from tests.support.missing import missing
from veridict.core.errors import UnsupportedModel
from veridict.models.compile import compile_file, compile_model, ubjson
from veridict.models.compile.xgboost import compile_bytes
from veridict.models.working import WorkingModel

try:
    import xgboost
except ImportError:
    missing("xgboost", "install the dev dependencies")

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(300, 3))
LABELS = (ROWS.sum(axis=1) > 0).astype(int)


def boosted(**parameters: object) -> Any:
    settings = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, **parameters}
    return xgboost.train(settings, xgboost.DMatrix(ROWS, LABELS), 4)


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboosts_own_files_compile_to_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    booster = boosted()
    file = tmp_path / f"model.{suffix}"
    booster.save_model(file)
    assert compile_file(file).model.id == compile_model(booster).model.id


def test_lightgbms_own_files_compile_to_the_same_bytes(tmp_path: Path) -> None:
    quiet = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(quiet, lightgbm.Dataset(ROWS, LABELS), 3)
    file = tmp_path / "model.txt"
    booster.save_model(file)
    assert compile_file(file).model.id == compile_model(booster).model.id


def test_pickles_are_refused_for_what_they_can_do(tmp_path: Path) -> None:
    model = DecisionTreeClassifier().fit(ROWS, LABELS)
    for number, compression in enumerate((0, 3, "gzip", "xz", "bz2")):
        file = tmp_path / f"model{number}.joblib"
        joblib.dump(model, file, compress=compression)
        with pytest.raises(UnsupportedModel, match="run whatever code it holds"):
            compile_file(file)
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model))
    with pytest.raises(UnsupportedModel, match="run whatever code it holds"):
        compile_file(file)


def test_a_compiled_model_is_told_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "model.vdm"
    file.write_bytes(compile_model(boosted()).model.bytes)
    with pytest.raises(UnsupportedModel, match="compiled already"):
        compile_file(file)


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_bytes(b"hello")
    with pytest.raises(UnsupportedModel, match="of a known kind"):
        compile_file(file)


@pytest.mark.parametrize("raw_format", ["json", "ubj"])
def test_damaged_files_are_refused(tmp_path: Path, raw_format: str) -> None:
    data = bytes(boosted().save_raw(raw_format))
    file = tmp_path / "model"
    for end in (2, 10, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:end])
        with pytest.raises(UnsupportedModel):
            compile_file(file)
    for at in RNG.integers(1, len(data), 150):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << int(RNG.integers(8))]) + data[at + 1 :])
        with contextlib.suppress(UnsupportedModel):  # any other error fails the test
            compile_file(file)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"objective": "binary:hinge"}, "objective binary:hinge"),
        ({"objective": "survival:cox"}, "objective survival:cox"),
    ],
)
def test_what_xgboost_has_without_an_exact_form(parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason) as caught:
        compile_model(boosted(**parameters))
    assert caught.value.remedy


def test_linear_boosters_and_categories_of_a_dataframe_are_refused() -> None:
    document = json.loads(boosted().save_raw("json"))
    booster = document["learner"]["gradient_booster"]
    booster["model"]["cats"]["enc"] = [{"values": ["a"]}]
    with pytest.raises(UnsupportedModel, match="as the DataFrame"):
        compile_bytes(json.dumps(document).encode())
    booster["name"] = "gblinear"
    with pytest.raises(UnsupportedModel, match="booster is gblinear"):
        compile_bytes(json.dumps(document).encode())


def test_untrained_xgboost_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="not trained"):
        compile_model(xgboost.XGBClassifier())


def test_early_stopping_keeps_the_best_rounds() -> None:
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2, n_jobs=1, max_depth=3)
    model.fit(ROWS[:200], LABELS[:200], eval_set=[(ROWS[200:], RNG.permutation(LABELS[200:]))],
              verbose=False)  # fmt: skip
    compiled = compile_model(model)
    assert len(compiled.model.trees.trees) == model.best_iteration + 1 < 60


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends within"),
        (b"{", "ends within"),
        (b"Z!", "stand behind"),
        (b"?", "no type"),
        (b"[" * 99, "nested"),
        (b"S\x69\xff", "no length"),
        (b"[#L\x7f" + b"\0" * 7, "do not fit"),
        (b"[$d#L\x7f" + b"\0" * 7, "ends within"),
    ],
)
def test_broken_ubjson_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ubjson.read(data)


def test_ubjson_of_every_type() -> None:
    data = (
        b"{i\x01a[ZTFi\xffU\xffI\xff\xfeSi\x02hiC!]i\x01b[$U#i\x02\x01\x02i\x01c[#i\x01l\0\0\0\x07}"
    )
    expected = {"a": [None, True, False, -1, 255, -2, "hi", "!"], "b": [1, 2], "c": [7]}
    assert ubjson.read(data) == expected


def test_a_linear_model_and_its_empty_annex_go_to_work() -> None:
    model = LinearRegression().fit(ROWS, LABELS)
    compiled = compile_model(model)
    again = WorkingModel.load(compiled.model.bytes, compiled.annex.encode())
    assert again.id == compiled.model.id
