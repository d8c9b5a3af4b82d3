"""What canonical models are compared with, each told to use one thread.

No peer is a dependency: where one cannot be imported or built, the reason takes its place.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Call = Callable[[], object]


class Peer(Protocol):
    title: str

    def singly(self, rows: Floats) -> object:
        """Score `rows` one by one, as a program would that has them one by one."""

    def batch(self, rows: Floats) -> Call:
        """What scores all `rows` at once."""


class LightGBM:
    title = "LightGBM Booster"

    def __init__(self, booster: Any, _: Path) -> None:
        self._booster = booster

    def singly(self, rows: Floats) -> object:
        return [self._predict(row) for row in rows[:, None]]

    def batch(self, rows: Floats) -> Call:
        return lambda: self._predict(rows)

    def _predict(self, rows: Floats) -> object:
        return self._booster.predict(rows, raw_score=True, num_threads=1)


class OnnxRuntime:
    title = "ONNX Runtime"

    def __init__(self, booster: Any, _: Path) -> None:
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        data = onnx_bytes(booster.dump_model()).SerializeToString()
        self._session = runtime.InferenceSession(data, options, ["CPUExecutionProvider"])

    def singly(self, rows: Floats) -> object:
        narrow = rows.astype(np.float32)[:, None]
        return [self._session.run(None, {"x": row}) for row in narrow]

    def batch(self, rows: Floats) -> Call:
        return lambda: self._session.run(None, {"x": rows.astype(np.float32)})


class Tl2cgen:
    """C code of the model, compiled with -O3. One row is a call of its `predict`, no more."""

    title = "tl2cgen"

    def __init__(self, booster: Any, directory: Path) -> None:
        treelite, self._tl2cgen = import_module("treelite"), import_module("tl2cgen")
        if shutil.which("gcc") is None:
            raise ImportError("it needs a C compiler, gcc")
        model = treelite.frontend.from_lightgbm(booster)
        library = Path(tempfile.mkdtemp(dir=directory)) / "model.so"
        self._tl2cgen.export_lib(
            model, toolchain="gcc", libpath=library, params={"parallel_comp": 16}
        )
        self._predictor = self._tl2cgen.Predictor(library, nthread=1)
        self._predict = ctypes.CDLL(str(library)).predict
        self._predict.restype = None
        self._out = (ctypes.c_double * 1)()

    def singly(self, rows: Floats) -> object:
        entries = rows.view(np.int64).copy()  # union { int missing; double fvalue; }
        entries[np.isnan(rows)] = -1
        start, step = entries.ctypes.data, entries.strides[0]
        for number in range(len(rows)):
            self._out[0] = 0.0  # it adds to what is there
            self._predict(ctypes.c_void_p(start + number * step), 1, self._out)
        return self._out

    def batch(self, rows: Floats) -> Call:
        return lambda: self._predictor.predict(
            self._tl2cgen.DMatrix(rows, dtype="float64"), pred_margin=True
        )


def _or_why_not(make: Callable[[Any, Path], Peer]) -> Callable[[Any, Path], Peer | str]:
    def made(booster: Any, directory: Path) -> Peer | str:
        try:
            return make(booster, directory)
        except ImportError as problem:
            return str(problem)

    return made


PEERS: Mapping[str, Callable[[Any, Path], Peer | str]] = {
    "lightgbm": _or_why_not(LightGBM),
    "onnxruntime": _or_why_not(OnnxRuntime),
    "tl2cgen": _or_why_not(Tl2cgen),
}


def onnx_bytes(dump: Mapping[str, Any]) -> Any:
    """A LightGBM dump of numerical splits as one TreeEnsembleRegressor of float32."""
    helper, proto = import_module("onnx").helper, import_module("onnx").TensorProto
    table: dict[str, list[Any]] = {
        name: []
        for name in (
            "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes",
            "nodes_truenodeids", "nodes_falsenodeids", "nodes_missing_value_tracks_true",
            "target_treeids", "target_nodeids", "target_ids", "target_weights",
        )
    }  # fmt: skip
    for number, tree in enumerate(dump["tree_info"]):
        _add(table, number, tree["tree_structure"], [0])
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, **table
    )
    width = dump["max_feature_idx"] + 1
    given = helper.make_tensor_value_info("x", proto.FLOAT, [None, width])
    asked = helper.make_tensor_value_info("y", proto.FLOAT, [None, 1])
    graph = helper.make_graph([node], "trees", [given], [asked])
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _add(table: dict[str, list[Any]], tree: int, node: Mapping[str, Any], free: list[int]) -> int:
    """Appends `node` and all below; returns its number in the tree."""
    number = free[0]
    free[0] += 1
    inner = "split_index" in node
    at = len(table["nodes_nodeids"])
    table["nodes_treeids"].append(tree)
    table["nodes_nodeids"].append(number)
    table["nodes_featureids"].append(node["split_feature"] if inner else 0)
    table["nodes_values"].append(float(node["threshold"]) if inner else 0.0)
    table["nodes_modes"].append("BRANCH_LEQ" if inner else "LEAF")
    table["nodes_missing_value_tracks_true"].append(int(inner and node["default_left"]))
    table["nodes_truenodeids"].append(0)
    table["nodes_falsenodeids"].append(0)
    if inner:
        table["nodes_truenodeids"][at] = _add(table, tree, node["left_child"], free)
        table["nodes_falsenodeids"][at] = _add(table, tree, node["right_child"], free)
    else:
        table["target_treeids"].append(tree)
        table["target_nodeids"].append(number)
        table["target_ids"].append(0)
        table["target_weights"].append(float(node["leaf_value"]))
    return number
