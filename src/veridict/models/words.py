"""Kinds linear and MLP as words of 32 bytes, behind header and bases.

    linear   a quantiser a feature ‖ weights u64, feature by feature, outputs inside ‖ zeros
    MLP      a quantiser a feature ‖ layer ‖ layer ‖ …
    layer    [neurons │ shift │ limit │ 0] ‖ biases ‖ weights, input by input
             biases, and the weights of one input: u32 lanes, 8 neurons a word

Signed numbers are stored without a sign, half their range added. A reader in
the EVM multiplies a whole word of weights by one input; what the stored halves
add is the same for every lane and comes off at the end at once.
"""

from __future__ import annotations

import struct

from veridict.core.errors import BadModelBytes
from veridict.models.layout import (
    LANE_BIAS,
    LANES,
    LAYER,
    MAX_LAYERS,
    MAX_NEURONS,
    POINT,
    QUANTISER,
    WEIGHT_BIAS,
    WORD,
    Layer,
    LinearModel,
    MlpModel,
    Quantiser,
)

_LANE = struct.Struct(">I")


def linear_words(model: LinearModel) -> bytes:
    flat = [w + WEIGHT_BIAS for weights in model.weights for w in weights]
    weights = struct.pack(f">{len(flat)}Q", *flat)
    return _quantisers(model.inputs) + weights.ljust(-(-len(weights) // WORD) * WORD, b"\0")


def mlp_words(model: MlpModel) -> bytes:
    layers = (
        LAYER.pack(layer.n_neurons, layer.shift, layer.limit, 0)
        + b"".join(_lanes(row) for row in (layer.biases, *layer.weights))
        for layer in model.layers
    )
    return _quantisers(model.inputs) + b"".join(layers)


def read_linear(words: bytes, n_features: int, bases: tuple[int, ...], shift: int) -> LinearModel:
    """The model of words behind header and bases. Raises BadModelBytes; limits are not checked."""
    n_outputs, count = len(bases), n_features * len(bases)
    start = QUANTISER.size * n_features
    end = start + 8 * count
    if len(words) != -(-end // WORD) * WORD:
        raise _bad(f"{n_features} features and {n_outputs} outputs do not fit {len(words)} bytes")
    if any(words[end:]):
        raise _bad("bytes behind the weights are not zero")
    flat = [value - WEIGHT_BIAS for value in struct.unpack_from(f">{count}Q", words, start)]
    weights = tuple(tuple(flat[at : at + n_outputs]) for at in range(0, count, n_outputs))
    return LinearModel(_read_quantisers(words[:start]), bases, weights, shift)


def read_mlp(words: bytes, n_features: int, bases: tuple[int, ...], n_layers: int) -> MlpModel:
    """The model of words behind header and bases. Raises BadModelBytes; limits are not checked."""
    if not 1 <= n_layers <= MAX_LAYERS:
        raise _bad(f"{n_layers} layers are outside 1 to {MAX_LAYERS}")
    at = QUANTISER.size * n_features
    if len(words) < at:
        raise _bad(f"{n_features} features do not fit {len(words)} bytes")
    inputs = _read_quantisers(words[:at])
    layers: list[Layer] = []
    width = n_features
    for number in range(1, n_layers + 1):
        layer, size = _read_layer(words, at, width, number)
        layers.append(layer)
        at += size
        width = layer.n_neurons
    if at != len(words):
        raise _bad(f"{len(words) - at} bytes stand behind the last layer")
    return MlpModel(inputs, bases, tuple(layers))


def _read_layer(words: bytes, at: int, width: int, number: int) -> tuple[Layer, int]:
    """The layer that begins at byte `at`, and how many bytes it takes."""
    if at + LAYER.size > len(words):
        raise _bad(f"layer {number} is missing")
    n_neurons, shift, limit, zero = LAYER.unpack_from(words, at)
    if zero:
        raise _bad(f"reserved bytes of layer {number} are not zero")
    if not 1 <= n_neurons <= MAX_NEURONS:
        raise _bad(f"{n_neurons} neurons in layer {number} are outside 1 to {MAX_NEURONS}")
    lanes = -(-n_neurons // LANES) * LANES
    size = LAYER.size + _LANE.size * lanes * (1 + width)
    if at + size > len(words):
        raise _bad(f"layer {number} needs {size} bytes, {len(words) - at} are there")
    flat = struct.unpack_from(f">{lanes * (1 + width)}I", words, at + LAYER.size)
    rows = []
    for start in range(0, len(flat), lanes):
        row = flat[start : start + lanes]
        if any(value != LANE_BIAS for value in row[n_neurons:]):
            raise _bad(f"unused lanes of layer {number} are not zero")
        rows.append(tuple(value - LANE_BIAS for value in row[:n_neurons]))
    return Layer(rows[0], tuple(rows[1:]), shift, limit), size


def _lanes(values: tuple[int, ...]) -> bytes:
    count = -(-len(values) // LANES) * LANES
    padded = [value + LANE_BIAS for value in values] + [LANE_BIAS] * (count - len(values))
    return struct.pack(f">{count}I", *padded)


def _quantisers(inputs: tuple[Quantiser, ...]) -> bytes:
    return b"".join(
        QUANTISER.pack(q.limit, q.offset + WEIGHT_BIAS, q.missing + WEIGHT_BIAS, POINT - q.shift)
        for q in inputs
    )


def _read_quantisers(words: bytes) -> tuple[Quantiser, ...]:
    return tuple(
        Quantiser(POINT - point, offset - WEIGHT_BIAS, limit, missing - WEIGHT_BIAS)
        for limit, offset, missing, point in QUANTISER.iter_unpack(words)
    )


def _bad(why: str) -> BadModelBytes:
    return BadModelBytes(
        f"not canonical model bytes: {why}",
        remedy="compile the model again, or fetch the bytes from the registry",
    )
