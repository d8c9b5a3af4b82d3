"""The canonical model as nouns: format version 1; kinds trees, linear and MLP.

docs/reference/canonical-model.md says all of it, with the reasons. `encode`
writes the bytes, `decode` reads them back, `reference` says what they mean.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"VRDT"
VERSION = 1
KIND_TREES = 1
KIND_LINEAR = 2
KIND_MLP = 3

# magic, version, kind, score bits, outputs - 1, features, page length, pages, 0, count, base, 0
HEADER = struct.Struct(">4sBBBBHHHHIq4x")  # 32 bytes, one EVM word
BASE = struct.Struct(">q")  # of each further output, behind the header
MAX_FEATURES = 32_767
MAX_OUTPUTS = 64
MAX_BYTES = 64 << 20

# kind trees
COUNTS = struct.Struct(">HHH")  # trees, nodes, leaves of the page
NODE = struct.Struct(">HQHH")  # slot, threshold, right, left
LEAF = struct.Struct(">Q")
LEAF_BIAS = 1 << 63
PAGE_SIZES = (2_047, 8_188)
TAIL_BYTES = 24  # zeros that end every page: 32 bytes can be read from where any leaf begins
MAX_PAGES = 65_535
MAX_TREES = 1_000_000
MAX_DEPTH = 255  # nodes on the longest path

# kinds linear and MLP: files of 32-byte words
WORD = 32
QUANTISER = struct.Struct(">QQQQ")  # limit, offset, missing, point
WEIGHT_BIAS = 1 << 63
POINT = 1_075  # point = 1075 - shift; a float64 is mantissa * 2^(exponent - 1075)
MIN_SHIFT, MAX_SHIFT = -128, 127
MAX_ROUNDED = 1 << 62  # what a rounded float is clamped to before its offset is taken off
MAX_LINEAR_SHIFT = 31
LANES = 8  # neurons a word
LANE_BIAS = 1 << 31
LAYER = struct.Struct(">QQQQ")  # neurons, shift, limit, 0
MAX_LAYERS = 16
MAX_NEURONS = 4_096
MAX_LAYER_SHIFT = 31

CHUNK_BYTES = 24_564  # of the 24,565 a data contract holds: 12 × 2,047 = 3 × 8,188
WORD_CHUNK_BYTES = 24_544  # the same in whole words


@dataclass(frozen=True, slots=True)
class Node:
    """Rows whose image of `feature` is at most `threshold` go left, missing ones as told.

    `left` and `right` are numbers of nodes of the same tree, larger than this
    node's own, or `~i` for leaf `i`. Two nodes may share a child.
    """

    feature: int
    threshold: int  # image of the float64 threshold, u64; at least 1 if `missing_right`
    missing_right: bool
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Tree:
    """`nodes[0]` is the root; `leaves` are scores, int64 in units of 2^-SCORE_BITS."""

    nodes: tuple[Node, ...]
    leaves: tuple[int, ...]

    @property
    def size(self) -> int:
        return NODE.size * len(self.nodes) + LEAF.size * len(self.leaves)


@dataclass(frozen=True, slots=True)
class TreeModel:
    """score of output k = bases[k] + the sum of one leaf of every tree t with t mod K = k.

    `trees` are therefore a multiple of K, the number of outputs. Cannot
    overflow int64 (`reach`).
    """

    n_features: int
    base: int
    trees: tuple[Tree, ...]
    more_bases: tuple[int, ...] = ()

    @property
    def bases(self) -> tuple[int, ...]:
        return (self.base, *self.more_bases)

    @property
    def n_outputs(self) -> int:
        return 1 + len(self.more_bases)

    @property
    def reach(self) -> int:
        """The largest magnitude a score can have."""
        reaches = [abs(base) for base in self.bases]
        for number, tree in enumerate(self.trees):
            reaches[number % self.n_outputs] += max(map(abs, tree.leaves))
        return max(reaches)


@dataclass(frozen=True, slots=True)
class Quantiser:
    """How a feature becomes an integer of magnitude at most `limit`:

    clamp(round(x · 2^shift) - offset, ±limit), halves up; `missing` where x is NaN.
    """

    shift: int
    offset: int
    limit: int
    missing: int


@dataclass(frozen=True, slots=True)
class LinearModel:
    """score of output k = bases[k] + round(sum over f of q[f] · weights[f][k] / 2^shift).

    q[f] is feature f by `inputs[f]`; halves are rounded up. The sum cannot
    overflow int64 (`sum_reach`), nor can the score (`reach`).
    """

    inputs: tuple[Quantiser, ...]
    bases: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]  # [feature][output]
    shift: int

    @property
    def n_features(self) -> int:
        return len(self.inputs)

    @property
    def n_outputs(self) -> int:
        return len(self.bases)

    @property
    def sum_reaches(self) -> list[int]:
        """The largest magnitude of each output's sum before it is divided, its rounding added."""
        half = (1 << self.shift) >> 1
        sums = [half] * self.n_outputs
        for quantiser, weights in zip(self.inputs, self.weights, strict=True):
            if quantiser.limit:
                for output, weight in enumerate(weights):
                    sums[output] += abs(weight) * quantiser.limit
        return sums

    @property
    def reach(self) -> int:
        sums = self.sum_reaches
        return max(abs(b) + (s >> self.shift) + 1 for b, s in zip(self.bases, sums, strict=True))


@dataclass(frozen=True, slots=True)
class Layer:
    """a[j] = biases[j] + sum over i of x[i] · weights[i][j], in 32 bits.

    A hidden layer gives min(max(a, 0) >> shift, limit) to the next. The last
    layer has limit 0 and gives a << shift.
    """

    biases: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]  # [input][neuron]
    shift: int
    limit: int

    @property
    def n_neurons(self) -> int:
        return len(self.biases)


@dataclass(frozen=True, slots=True)
class MlpModel:
    """score of output k = bases[k] + what neuron k of the last layer gives. ReLU between layers."""

    inputs: tuple[Quantiser, ...]
    bases: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def n_features(self) -> int:
        return len(self.inputs)

    @property
    def n_outputs(self) -> int:
        return len(self.bases)

    @property
    def reach(self) -> int:
        last = self.layers[-1]
        return max(
            abs(base) + (reach << last.shift)
            for base, reach in zip(self.bases, self.sum_reaches[-1], strict=True)
        )

    @property
    def sum_reaches(self) -> list[list[int]]:
        """The largest magnitude of a[j], by layer and neuron."""
        bounds = [quantiser.limit for quantiser in self.inputs]
        reaches = []
        for layer in self.layers:
            sums = [abs(bias) for bias in layer.biases]
            for bound, weights in zip(bounds, layer.weights, strict=True):
                if bound:
                    sums = [s + bound * abs(w) for s, w in zip(sums, weights, strict=True)]
            reaches.append(sums)
            bounds = [min(s >> layer.shift, layer.limit) for s in sums]
        return reaches


Model = TreeModel | LinearModel | MlpModel


def chunks(model_bytes: bytes) -> list[bytes]:
    """What data contracts hold, cut between pages or words; together they are `model_bytes`."""
    size = CHUNK_BYTES if model_bytes[5:6] == bytes([KIND_TREES]) else WORD_CHUNK_BYTES
    return [model_bytes[start : start + size] for start in range(0, len(model_bytes), size)]
