"""ONNX models score as ONNX Runtime says, for every float64 after its cast to float32."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.floats import SPECIAL, crowded
from tests.support.missing import missing
from veridict.core.errors import UnsupportedModel
from veridict.models.compile import agreement, compile_file, compile_model

try:
    import onnx
    import onnxruntime  # noqa: F401  it scores for the source
    from skl2onnx import to_onnx
except ImportError:
    missing("onnx", "install the dev dependencies")

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
IRIS, SPECIES = load_iris(return_X_y=True)
FEW: Any = {"n_estimators": 4, "random_state": 1}
SHORT: Any = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 1}
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")


def exported(model: Any, rows: np.ndarray) -> Any:
    return to_onnx(model, rows[:1].astype(np.float32))


@pytest.mark.parametrize(
    ("model", "rows", "target", "outputs"),
    [
        (DecisionTreeClassifier(max_depth=4), IRIS, SPECIES, 3),
        (RandomForestClassifier(**FEW), CANCER, MALIGNANT, 1),
        (RandomForestClassifier(**FEW), IRIS, SPECIES, 3),
        (RandomForestRegressor(**FEW), CANCER, MALIGNANT, 1),
        (GradientBoostingClassifier(**FEW), CANCER, MALIGNANT, 1),
        (GradientBoostingClassifier(**FEW), IRIS, SPECIES, 3),
        (GradientBoostingRegressor(**FEW), CANCER, MALIGNANT, 1),
        (make_pipeline(StandardScaler(), RandomForestClassifier(**FEW)), CANCER, MALIGNANT, 1),
        (make_pipeline(StandardScaler(), LogisticRegression()), CANCER, MALIGNANT, 1),
        (LogisticRegression(solver="newton-cholesky"), IRIS, SPECIES, 3),
        (Ridge(), CANCER, MALIGNANT, 1),
        (make_pipeline(StandardScaler(), MLPClassifier(**SHORT)), CANCER, MALIGNANT, 1),
        (make_pipeline(StandardScaler(), MLPClassifier(**SHORT)), IRIS, SPECIES, 3),
        (make_pipeline(StandardScaler(), MLPRegressor(**SHORT)), CANCER, MALIGNANT, 1),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_exported_models_agree(
    model: Any, rows: np.ndarray, target: Any, outputs: int, tmp_path: Path
) -> None:
    source = exported(model.fit(rows, target), rows)
    compiled = compile_model(source)
    report = agreement(compiled, source, rows)
    assert report.holds, report
    assert compiled.model.n_outputs == outputs
    file = tmp_path / "model.onnx"
    onnx.save(source, file)
    assert compile_file(file).model.id == compiled.model.id


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_every_comparison_routes_as_in_onnx_runtime(seed: int) -> None:
    rng = random.Random(seed)
    model = DecisionTreeClassifier(max_depth=5, random_state=1).fit(IRIS, SPECIES)
    source = exported(model, IRIS)
    values = {each.name: each for each in source.graph.node[0].attribute}
    mode = rng.choice(MODES).encode()  # one for all: the runtime's fast path, or its slow one
    for at, old in enumerate(values["nodes_modes"].strings):
        if old != b"LEAF":
            own = mode if seed % 2 else rng.choice(MODES).encode()
            values["nodes_modes"].strings[at] = own
            value = rng.choice([rng.choice(SPECIAL), rng.gauss(3, 2)])
            value = value if abs(value) < 3e38 else 1.0
            values["nodes_values"].floats[at] = value
            values["nodes_missing_value_tracks_true"].ints[at] = rng.randrange(2)
    for at in range(len(values["class_weights"].floats)):
        values["class_weights"].floats[at] = rng.randrange(-1000, 1000) / 8
    pool = crowded([*values["nodes_values"].floats, *SPECIAL])
    rows = np.random.default_rng(seed).choice(pool, size=(200, 4))
    with np.errstate(over="ignore"):
        report = agreement(compile_model(source), source, rows)
    assert report.holds, report


def altered(source: Any, name: str, value: Any) -> Any:
    """`source` with one attribute of its first operator replaced."""
    changed = onnx.ModelProto()
    changed.CopyFrom(source)
    node = changed.graph.node[0]
    kept = [each for each in node.attribute if each.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])
    return changed


def test_what_has_no_exact_form_is_refused() -> None:
    trees = exported(RandomForestRegressor(**FEW).fit(CANCER, MALIGNANT), CANCER)
    classes = exported(RandomForestClassifier(**FEW).fit(IRIS, SPECIES), IRIS)
    linear = exported(Ridge().fit(IRIS, SPECIES), IRIS)
    doubles = to_onnx(Ridge().fit(IRIS, SPECIES), IRIS[:1])
    bare = exported(MLPRegressor(**SHORT).fit(IRIS, SPECIES), IRIS)
    tanh = make_pipeline(StandardScaler(), MLPRegressor(activation="tanh", **SHORT))
    odd_mode = [b"BRANCH_MEMBER", *[b"LEAF"] * 0]
    modes = next(a for a in trees.graph.node[0].attribute if a.name == "nodes_modes").strings
    cases = [
        (altered(trees, "post_transform", "PROBIT"), "PROBIT over 1"),
        (altered(classes, "post_transform", "LOGISTIC"), "LOGISTIC over 3"),
        (altered(trees, "aggregate_function", "MAX"), "aggregates by MAX"),
        (altered(trees, "nodes_modes", odd_mode + list(modes[1:])), "compares by BRANCH_MEMBER"),
        (altered(linear, "post_transform", "PROBIT"), "PROBIT over 1"),
        (doubles, "not one tensor of float32"),
        (bare, "range of its inputs is not known"),
        (exported(tanh.fit(IRIS, SPECIES), IRIS), "Tanh stands in the network"),
    ]
    for source, reason in cases:
        with pytest.raises(UnsupportedModel, match=reason) as caught:
            compile_model(source)
        assert caught.value.remedy


def test_other_operators_are_refused_by_name() -> None:
    node = onnx.helper.make_node("SVMRegressor", ["x"], ["y"], domain="ai.onnx.ml")
    ends = [onnx.helper.make_tensor_value_info(name, 1, [None, 2]) for name in ("x", "y")]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    with pytest.raises(UnsupportedModel, match="no exact form of SVMRegressor"):
        compile_model(onnx.helper.make_model(graph))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = exported(RandomForestClassifier(**FEW).fit(IRIS, SPECIES), IRIS).SerializeToString()
    file = tmp_path / "model.onnx"
    for at in rng.integers(1, len(data), 60):
        file.write_bytes(data[:at])
        with pytest.raises(UnsupportedModel):
            compile_file(file)
        flipped = data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :]
        file.write_bytes(flipped)
        try:
            compile_file(file)
        except UnsupportedModel:
            continue
