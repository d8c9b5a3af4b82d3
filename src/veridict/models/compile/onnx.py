"""ONNX → canonical models: TreeEnsembleClassifier and -Regressor, LinearClassifier and -Regressor,
and networks of MatMul, Gemm, Add and Relu, each behind nothing but Cast, Identity and Scaler.

Inputs are float32 tensors: a float64 is cast first, rounding to nearest, and a Scaler works in
float32. What follows the model (ZipMap, Cast, Normalizer, Sigmoid, Softmax, labels) leaves the
raw score as it is and is not looked at. The file is read by the `onnx` package, the extra
`veridict[onnx]`; nothing in it is executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.errors import MissingPart
from veridict.models.compile import onnx_graph, onnx_trees
from veridict.models.compile.ensemble import compile_ensemble, named
from veridict.models.compile.network import mlp
from veridict.models.compile.onnx_graph import Graph, attributes, floats, refused
from veridict.models.compile.outcome import FLOAT32, FLOAT64, Compiled, Link
from veridict.models.compile.quantised import linear
from veridict.models.compile.sklearn_linear import exact, quantised_outcome

_TREES = {"TreeEnsembleClassifier", "TreeEnsembleRegressor"}
_LINEAR = {"LinearClassifier", "LinearRegressor"}
_LAYERS = {"MatMul", "Gemm", "Add", "Relu", "Identity"}
_ENDS = {"Sigmoid": Link.LOGIT, "Softmax": Link.SOFTMAX}
_LINKS = {"NONE": Link.IDENTITY, "LOGISTIC": Link.LOGIT, "SOFTMAX": Link.SOFTMAX}

Layers = list[tuple[list[list[Fraction]], list[Fraction]]]


def matches(model: object) -> bool:
    """Whether `model` is an onnx.ModelProto."""
    kind = type(model)
    return kind.__name__ == "ModelProto" and kind.__module__.split(".")[0].startswith("onnx")


def compile_it(model: Any, feature_names: Sequence[str] | None, rows: Any = None) -> Compiled:
    """Compile an onnx.ModelProto. Raises UnsupportedModel, naming the reason."""
    graph = onnx_graph.read(model)
    kind = graph.nodes[0].op_type
    if kind in _TREES:
        values = attributes(graph.nodes[0])
        count = graph.width or 1 + max(values["nodes_featureids"])
        trees = onnx_trees.ensemble_of(kind, values, named(feature_names, (), count))
        return compile_ensemble(trees, graph.lens(count))
    if kind in _LINEAR:
        weights, intercepts, link = _linear(graph)
        lines = graph.lines(len(weights))
        rounded = linear(lines, weights, intercepts, rows)
    elif kind in _LAYERS:
        layers, link, _ = _network(graph)
        lines = graph.lines(len(layers[0][0]))
        rounded = mlp(lines, layers, "ONNX model", rows)
    else:
        raise refused(f"there is no exact form of {kind}", "export a tree ensemble or linear model")
    names = named(feature_names, (), len(lines))
    compiled = quantised_outcome(rounded, names, link, "onnx")
    return replace(compiled, source_loss=compiled.source_loss * FLOAT32 / FLOAT64)


def compile_bytes(data: bytes, rows: Any = None) -> Compiled:
    """The canonical form of an ONNX file. Raises ValueError where it is damaged."""
    onnx = _library()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as problem:  # protobuf's DecodeError, whichever protobuf is installed
        raise ValueError(f"no ONNX: {problem}") from problem
    return compile_it(model, None, rows)


def raw_scores(model: Any, rows: Any) -> Any:
    """What ONNX Runtime, or else the onnx package, reckons before the last transform."""
    plain = _without_transform(model)
    feeds = {onnx_graph.read(model).input_name: np.asarray(rows, dtype=np.float32)}
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        evaluator: Any = ReferenceEvaluator(plain)
        return evaluator.run(None, feeds)[0]
    session = onnxruntime.InferenceSession(
        plain.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)[0]


def _linear(graph: Graph) -> tuple[list[list[Fraction]], list[Fraction], Link]:
    """Weights [feature][output], intercepts, and the link."""
    node, values = graph.nodes[0], attributes(graph.nodes[0])
    intercepts = floats(values.get("intercepts") or [0.0])
    outputs = max(int(values.get("targets", 1)), len(intercepts))
    if node.op_type == "LinearRegressor" and outputs > 1:
        raise refused("it has several targets", "export one model a target")
    matrix = floats(values["coefficients"]).reshape(outputs, -1)
    transform = values.get("post_transform", "NONE")
    if outputs == 2 and (matrix[0] == -matrix[1]).all() and intercepts[0] == -intercepts[1]:
        matrix, intercepts, outputs = matrix[1:], intercepts[1:], 1  # the second class's log-odds
    if transform not in ({"NONE", "SOFTMAX"} if outputs > 1 else {"NONE", "LOGISTIC"}):
        raise refused(f"{transform} over {outputs} outputs is unknown", "export it otherwise")
    return exact(matrix.T), [Fraction(float(value)) for value in intercepts], _LINKS[transform]


def _network(graph: Graph) -> tuple[Layers, Link, str]:
    """The layers, the link, and the name of the last layer's tensor."""
    layers: Layers = []
    link, is_open = Link.IDENTITY, False  # open: a layer was begun, and no Relu has closed it
    name = ""
    for node in graph.nodes:
        if name and name not in node.input:
            break
        values = attributes(node)
        other = next((graph.constants[i] for i in node.input if i in graph.constants), None)
        if node.op_type in ("MatMul", "Gemm") and other is not None:
            if is_open:
                raise refused("two layers follow each other without Relu", "use Relu")
            layers.append(_layer(graph, node, values))
            is_open = True
        elif node.op_type == "Add" and is_open and other is not None:
            weights, biases = layers[-1]
            added = np.broadcast_to(_array(other).reshape(-1), len(biases))
            layers[-1] = (
                weights,
                [b + Fraction(float(a)) for b, a in zip(biases, added, strict=True)],
            )
        elif node.op_type == "Relu" and is_open:
            is_open = False
        elif node.op_type != "Identity":
            if node.op_type not in {*_ENDS, "Reshape", "Flatten", "Cast", "ZipMap", "ArgMax"}:
                raise refused(f"{node.op_type} stands in the network", "use Relu between layers")
            link = _ENDS.get(node.op_type, link)
            break
        name = node.output[0]
    if not layers or not is_open:
        raise refused("its last layer is no linear one", "end it with Gemm, or MatMul and Add")
    outputs = len(layers[-1][1])
    if outputs > 1 and link is not Link.SOFTMAX:
        raise refused(f"it has {outputs} outputs without Softmax", "end it with Softmax")
    return layers, link, name


def _layer(
    graph: Graph, node: Any, values: dict[str, Any]
) -> tuple[list[list[Fraction]], list[Fraction]]:
    tensors = [graph.constants.get(name) for name in node.input]
    if node.input[0] in graph.constants or tensors[1] is None:
        raise refused("a layer's weights are not constants on its right", "export it as layers")
    weights = _array(tensors[1])
    biases = np.zeros(weights.shape[0 if values.get("transB") else 1], dtype=np.float32)
    if node.op_type == "Gemm":
        if (
            values.get("alpha", 1.0) != 1.0
            or values.get("beta", 1.0) != 1.0
            or values.get("transA")
        ):
            raise refused("its Gemm scales or transposes", "export it with alpha = beta = 1")
        weights = weights.T if values.get("transB") else weights
        if len(tensors) > 2 and tensors[2] is not None:
            biases = np.broadcast_to(_array(tensors[2]).reshape(-1), len(biases))
    return exact(weights), [Fraction(float(value)) for value in biases]


def _array(tensor: Any) -> Any:
    return _library().numpy_helper.to_array(tensor).astype(np.float32)


def _without_transform(model: Any) -> Any:
    """The model cut off behind its raw scores: trees and lines as regressors without transform."""
    onnx = _library()
    graph = onnx_graph.read(model)
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    del cut.graph.output[:]
    place = len(cut.graph.node) - len(graph.nodes)
    if graph.nodes[0].op_type in _LAYERS:
        cut.graph.output.append(_output(onnx, _network(graph)[2]))
        return cut
    del cut.graph.node[place:]
    values = attributes(graph.nodes[0])
    inputs = [graph.nodes[0].input[0]]
    if graph.nodes[0].op_type in _TREES:
        prefix, outputs = onnx_trees.outputs_of(graph.nodes[0].op_type, values)
        kept = {k: v for k, v in values.items() if k.startswith(("nodes_", "base_values"))}
        kept["aggregate_function"] = values.get("aggregate_function", "SUM")
        for suffix in ("ids", "nodeids", "treeids", "weights"):
            kept[f"target_{suffix}"] = values[f"{prefix}_{suffix}"]
        if outputs == 1:
            kept["target_ids"] = [0] * len(kept["target_ids"])
        kind, more = "TreeEnsembleRegressor", {"n_targets": outputs}
    else:
        weights, intercepts, _ = _linear(graph)
        kept = {"coefficients": [float(row[k]) for k in range(len(intercepts)) for row in weights]}
        kept["intercepts"] = [float(value) for value in intercepts]
        kind, more = "LinearRegressor", {"targets": len(intercepts)}
    node = onnx.helper.make_node(kind, inputs, ["raw"], domain="ai.onnx.ml", **kept, **more)
    cut.graph.node.append(node)
    cut.graph.output.append(_output(onnx, "raw"))
    return cut


def _output(onnx: Any, name: str) -> Any:
    return onnx.helper.make_tensor_value_info(name, onnx_graph.FLOAT, None)


def _library() -> Any:
    try:
        import onnx
    except ImportError as problem:
        raise MissingPart(
            "the onnx package is not installed", remedy="pip install 'veridict[onnx]'"
        ) from problem
    return onnx
