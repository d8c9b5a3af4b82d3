"""What a model of each kind may be: one list, for the writer and for the strict reader."""

from __future__ import annotations

from collections.abc import Iterator

from veridict.core.nouns import INT64_MAX, INT64_MIN
from veridict.models.layout import (
    LANE_BIAS,
    MAX_FEATURES,
    MAX_LAYER_SHIFT,
    MAX_LAYERS,
    MAX_LINEAR_SHIFT,
    MAX_NEURONS,
    MAX_OUTPUTS,
    MAX_ROUNDED,
    MAX_SHIFT,
    MAX_TREES,
    MIN_SHIFT,
    LinearModel,
    MlpModel,
    Model,
    Quantiser,
    TreeModel,
)


def defect(model: Model) -> str | None:
    """The first limit of the format that `model` breaks, in words; None where it breaks none."""
    return next(_defects(model), None)


def _defects(model: Model) -> Iterator[str]:
    yield from _outside("features", model.n_features, 1, MAX_FEATURES)
    yield from _outside("outputs", model.n_outputs, 1, MAX_OUTPUTS)
    if isinstance(model, TreeModel):
        yield from _tree_defects(model)
    else:
        for feature, quantiser in enumerate(model.inputs):
            yield from _quantiser_defects(quantiser, f"of feature {feature}")
        if isinstance(model, LinearModel):
            yield from _linear_defects(model)
        else:
            yield from _mlp_defects(model)
    if model.reach > INT64_MAX:
        yield "scores could leave the int64 range"


def _tree_defects(model: TreeModel) -> Iterator[str]:
    yield from _outside("trees", len(model.trees), 0, MAX_TREES)
    if len(model.trees) % model.n_outputs:
        yield f"{len(model.trees)} trees are no multiple of {model.n_outputs} outputs"


def _quantiser_defects(quantiser: Quantiser, whose: str) -> Iterator[str]:
    yield from _outside(f"is the shift {whose}:", quantiser.shift, MIN_SHIFT, MAX_SHIFT)
    yield from _outside(f"is the limit {whose}:", quantiser.limit, 0, MAX_ROUNDED - 1)
    if abs(quantiser.offset) >= MAX_ROUNDED:
        yield f"the offset {whose} is beyond 62 bits"
    if abs(quantiser.missing) > quantiser.limit:
        yield f"what stands for missing values {whose} is beyond the limit"


def _linear_defects(model: LinearModel) -> Iterator[str]:
    yield from _outside("is the shift:", model.shift, 0, MAX_LINEAR_SHIFT)
    if len(model.weights) != model.n_features or any(
        len(weights) != model.n_outputs for weights in model.weights
    ):
        yield "weights are not [feature][output]"
    if any(not INT64_MIN <= w <= INT64_MAX for weights in model.weights for w in weights):
        yield "a weight is no int64"
    if max(model.sum_reaches) > INT64_MAX:
        yield "sums could leave the int64 range"


def _mlp_defects(model: MlpModel) -> Iterator[str]:
    yield from _outside("layers", len(model.layers), 1, MAX_LAYERS)
    width = model.n_features
    for number, layer in enumerate(model.layers, start=1):
        last = number == len(model.layers)
        yield from _outside(f"neurons in layer {number}", layer.n_neurons, 1, MAX_NEURONS)
        yield from _outside(f"is the shift of layer {number}:", layer.shift, 0, MAX_LAYER_SHIFT)
        least, most = (0, 0) if last else (1, LANE_BIAS - 1)
        yield from _outside(f"is the limit of layer {number}:", layer.limit, least, most)
        if len(layer.weights) != width or any(len(w) != layer.n_neurons for w in layer.weights):
            yield f"weights of layer {number} are not [input][neuron]"
        values = (layer.biases, *layer.weights)
        if any(not -LANE_BIAS <= v < LANE_BIAS for row in values for v in row):
            yield f"a weight of layer {number} is no int32"
        width = layer.n_neurons
    if width != model.n_outputs:
        yield f"{width} neurons in the last layer are not {model.n_outputs} outputs"
    for number, reaches in enumerate(model.sum_reaches, start=1):
        if max(reaches) >= LANE_BIAS:
            yield f"sums of layer {number} could leave the int32 range"


def _outside(what: str, value: int, least: int, most: int) -> Iterator[str]:
    if not least <= value <= most:
        yield f"{value} {what} outside {least} to {most}"
