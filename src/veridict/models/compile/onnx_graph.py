"""The part of an ONNX graph that matters: what stands before the model, the model, its numbers.

Reads message objects of the `onnx` package by their fields; needs no import of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.affine import Line
from veridict.models.compile.frontier import Lens

FLOAT = 1  # TensorProto.FLOAT
PASSING = {"Identity", "Cast", "Scaler"}
_ATTRIBUTE_FIELDS = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints", 8: "strings"}


@dataclass(frozen=True, slots=True)
class Graph:
    """`scalers` (offset, scale) in float32, then `nodes`, from the model on, in graph order."""

    input_name: str
    scalers: Sequence[tuple[Any, Any]]
    nodes: Sequence[Any]
    constants: dict[str, Any]
    opset: int
    width: int  # of the input, 0 where the file does not say

    def lens(self, n_features: int) -> Lens:
        """The scalers as a tree sees through them: in float32, after the cast."""
        steps: list[tuple[Callable[..., Any], Any]] = []
        for offset, scale in self.scalers:
            steps += [
                (_in_float32(np.subtract), _spread(offset, n_features)),
                (_in_float32(np.multiply), _spread(scale, n_features)),
            ]
        return Lens(tuple(steps))

    def lines(self, n_features: int) -> list[Line]:
        """The scalers as exact lines; they were fitted to offset ± 1 / scale."""
        lines = [Line()] * n_features
        for number, (offset, scale) in enumerate(self.scalers):
            made = []
            for line, o, s in zip(
                lines, _spread(offset, n_features), _spread(scale, n_features), strict=True
            ):
                slope, intercept = line.then(Fraction(1), -Fraction(float(o)))
                slope, intercept = slope * Fraction(float(s)), intercept * Fraction(float(s))
                is_first = number == 0 and s
                made.append(
                    Line(
                        slope,
                        intercept,
                        float(o) if is_first else line.centre,
                        abs(1 / float(s)) if is_first else line.spread,
                    )
                )
            lines = made
        return lines


def read(model: Any) -> Graph:
    """The one path from the only input to the model. Raises UnsupportedModel."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type != FLOAT:
        raise refused("its input is not one tensor of float32", "export it with one float input")
    at = inputs[0].name
    scalers: list[tuple[Any, Any]] = []
    for place, node in enumerate(graph.node):
        if at not in node.input:
            raise refused(f"{node.op_type} does not follow its input", "export a plain chain")
        if node.op_type not in PASSING:
            sizes = inputs[0].type.tensor_type.shape.dim
            opsets = {each.domain: each.version for each in model.opset_import}
            return Graph(
                inputs[0].name, scalers, list(graph.node)[place:], constants,
                opsets.get("ai.onnx.ml", 1), sizes[1].dim_value if len(sizes) == 2 else 0,
            )  # fmt: skip
        values = attributes(node)
        if node.op_type == "Cast" and values["to"] != FLOAT:
            raise refused("it casts its input to another type", "export it with a float input")
        if node.op_type == "Scaler":
            scalers.append((floats(values["offset"]), floats(values["scale"])))
        at = node.output[0]
    raise refused("it holds no model", "export a trained model")


def attributes(node: Any) -> dict[str, Any]:
    """Attributes by name; texts decoded. What is of another type is None."""
    found: dict[str, Any] = {}
    for each in node.attribute:
        value = getattr(each, _ATTRIBUTE_FIELDS.get(each.type, ""), None)
        if isinstance(value, bytes):
            value = value.decode()
        elif each.type == 8 and value is not None:
            value = [text.decode() for text in value]
        elif each.type in (6, 7) and value is not None:
            value = list(value)
        found[each.name] = value
    return found


def floats(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)


def refused(reason: str, remedy: str) -> UnsupportedModel:
    return UnsupportedModel(f"this ONNX model cannot be compiled: {reason}", remedy=remedy)


def _in_float32(operation: Callable[..., Any]) -> Callable[..., Any]:
    def run(values: Any, numbers: Any) -> Any:
        return operation(values.astype(np.float32), numbers.astype(np.float32))

    return run


def _spread(numbers: Any, n_features: int) -> Any:
    """A scaler's numbers, one a feature; it may hold one for all."""
    if len(numbers) not in (1, n_features):
        raise refused(f"its Scaler has {len(numbers)} numbers", "export it again")
    return np.broadcast_to(numbers, n_features).astype(np.float64)
