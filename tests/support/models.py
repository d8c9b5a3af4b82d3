"""Random canonical models and rows that sit on their thresholds."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from tools import model_samples
from veridict.models.image import MISSING, image_of
from veridict.models.layout import (
    LANE_BIAS,
    Layer,
    LinearModel,
    MlpModel,
    Model,
    Node,
    Quantiser,
    Tree,
    TreeModel,
)

# In this order: tests/contracts/judge_gas.json tells what trees drawn from it cost.
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324,
    2.2250738585072014e-308, -2.2250738585072014e-308, 1.7976931348623157e308,
    -1.7976931348623157e308, 1e-35, -1e-35, 0.1, 2.0**53, 1e300,
)  # fmt: skip


def random_tree(rng: random.Random, n_features: int, n_nodes: int) -> Tree:
    """Nodes in random shape; sometimes two nodes share a child, as zero-as-missing splits do."""
    n_leaves = 0
    children: list[list[int | None]] = [[None, None] for _ in range(n_nodes)]
    free = [(0, 0), (0, 1)]
    for number in range(1, n_nodes):
        parent, side = free.pop(rng.randrange(len(free)))
        children[parent][side] = number
        free += [(number, 0), (number, 1)]
    leaves: list[int] = []
    for parent, side in free:
        if leaves and rng.random() < 0.1:
            children[parent][side] = ~rng.randrange(n_leaves)
            continue
        leaves.append(rng.choice((0, 1, -1, rng.randrange(-(2**40), 2**40))))
        children[parent][side] = ~n_leaves
        n_leaves += 1
    nodes = []
    for left, right in children:
        assert left is not None
        assert right is not None
        missing_right = rng.random() < 0.5
        threshold = image_of(rng.choice(SPECIAL)) if rng.random() < 0.5 else rng.getrandbits(64)
        nodes.append(Node(rng.randrange(n_features), max(threshold, 1), missing_right, left, right))
    return Tree(tuple(nodes), tuple(leaves))


def random_model(
    seed: int, *, max_trees: int = 8, max_nodes: int = 20, max_outputs: int = 1
) -> TreeModel:
    rng = random.Random(seed)
    n_features = rng.randint(1, 6)
    n_outputs = rng.randint(1, max_outputs) if max_outputs > 1 else 1
    trees = tuple(
        random_tree(rng, n_features, rng.randint(1, max_nodes))
        for _ in range(rng.randint(0, max_trees) // n_outputs * n_outputs)
    )
    return TreeModel(n_features, _base(rng), trees, tuple(_base(rng) for _ in range(n_outputs - 1)))


def random_linear(seed: int) -> LinearModel:
    """Limits and weights of all sizes, as large together as the sums allow."""
    rng = random.Random(seed)
    n_features, n_outputs = rng.randint(1, 7), rng.choice((1, 1, 2, 5))
    inputs = tuple(random_quantiser(rng, 61) for _ in range(n_features))
    weights = tuple(
        tuple(
            _signed(rng, min(63, 59 - quantiser.limit.bit_length()) if quantiser.limit else 63)
            for _ in range(n_outputs)
        )
        for quantiser in inputs
    )
    bases = tuple(_base(rng) for _ in range(n_outputs))
    return LinearModel(inputs, bases, weights, rng.randint(0, 31))


def random_mlp(seed: int) -> MlpModel:
    rng = random.Random(seed)
    n_features, n_outputs = rng.randint(1, 6), rng.choice((1, 1, 2, 9))
    inputs = tuple(random_quantiser(rng, 16) for _ in range(n_features))
    widths = [n_features, *(rng.randint(1, 18) for _ in range(rng.randint(0, 2))), n_outputs]
    bounds = [quantiser.limit for quantiser in inputs]
    layers = []
    for number in range(1, len(widths)):
        last = number == len(widths) - 1
        room = (LANE_BIAS - 1) // (len(bounds) + 1)
        rows = [
            tuple(_signed(rng, min(31, (room // max(bound, 1)).bit_length() - 1)) for _ in range(n))
            for bound in (1, *bounds)
            for n in widths[number : number + 1]
        ]
        shift, limit = rng.randint(0, 20), 0 if last else rng.randint(1, 2 ** rng.randint(1, 20))
        layers.append(Layer(rows[0], tuple(rows[1:]), shift, limit))
        bounds = [limit] * widths[number]
    return MlpModel(inputs, tuple(_base(rng) for _ in range(n_outputs)), tuple(layers))


def random_quantiser(rng: random.Random, bits: int) -> Quantiser:
    """A limit of at most `bits` bits; sometimes none at all."""
    limit = rng.randrange(2 ** rng.randint(0, bits))
    offset = _signed(rng, rng.randint(0, 62)) if rng.random() < 0.7 else 0
    shift = rng.choice((rng.randint(-128, 127), rng.randint(-10, 60), rng.randint(0, 10)))
    return Quantiser(shift, offset, limit, rng.randint(-limit, limit))


def random_of_any_kind(seed: int) -> Model:
    make = (lambda s: random_model(s, max_outputs=5), random_linear, random_mlp)[seed % 3]
    return make(seed)


def _base(rng: random.Random) -> int:
    return rng.randrange(-(2**45), 2**45)


def _signed(rng: random.Random, bits: int) -> int:
    """Of magnitude below 2^bits."""
    return rng.choice((-1, 1)) * rng.randrange(2 ** max(bits, 0))


def rows_for(model: Model, seed: int, count: int) -> list[list[int]]:
    """Rows of images: missing, random, and from the pools of `model_samples`, with more turns."""
    rng = random.Random(seed)
    pools = model_samples.pools(model)
    if not isinstance(model, TreeModel):
        pools = [pool + _turns(rng, rule) for pool, rule in zip(pools, model.inputs, strict=True)]

    def value(feature: int) -> int:
        kind = rng.random()
        if kind < 0.15:
            return MISSING
        return rng.getrandbits(64) if kind < 0.25 else rng.choice(pools[feature])

    return [[value(f) for f in range(model.n_features)] for _ in range(count)]


def _turns(rng: random.Random, quantiser: Quantiser) -> list[int]:
    """Images of floats that quantise to whole and half numbers within the limit, and beyond it."""
    found = []
    for _ in range(12):
        target = quantiser.offset + rng.randint(-quantiser.limit, quantiser.limit)
        near = target + rng.choice((0.0, 0.5, -0.5))
        found.append(image_of(math.ldexp(near, -quantiser.shift)))
    edge = math.ldexp(float(quantiser.offset + quantiser.limit), -quantiser.shift)
    return [*found, image_of(math.nextafter(edge, math.inf))]


models = st.integers(0, 2**32).map(lambda s: random_model(s, max_outputs=1 + 3 * (s % 2)))
models_of_any_kind = st.integers(0, 2**32).map(random_of_any_kind)
