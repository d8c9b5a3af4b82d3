"""The reference interpreter: slow, plain, and right by reading. Every other runtime equals it."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.models.image import MISSING
from veridict.models.layout import (
    MAX_ROUNDED,
    POINT,
    LinearModel,
    MlpModel,
    Model,
    Node,
    Quantiser,
    Tree,
    TreeModel,
)


def score(model: Model, row: Sequence[int]) -> int:
    """What is recorded and judged of one row of float images.

    One output: its score, in units of 2^-32. Several: the number of the one
    with the highest score, the lowest such number.
    """
    values = scores(model, row)
    return values[0] if len(values) == 1 else values.index(max(values))


def scores(model: Model, row: Sequence[int]) -> list[int]:
    """The score of every output, in units of 2^-32."""
    if isinstance(model, TreeModel):
        return _tree_scores(model, row)
    x = [quantised(q, image) for q, image in zip(model.inputs, row, strict=True)]
    return _linear_scores(model, x) if isinstance(model, LinearModel) else _mlp_scores(model, x)


def _tree_scores(model: TreeModel, row: Sequence[int]) -> list[int]:
    sums = list(model.bases)
    for number, tree in enumerate(model.trees):
        sums[number % model.n_outputs] += leaf(tree, row)
    return sums


def leaf(tree: Tree, row: Sequence[int]) -> int:
    at = 0
    while at >= 0:
        node = tree.nodes[at]
        at = node.right if goes_right(node, row[node.feature]) else node.left
    return tree.leaves[~at]


def goes_right(node: Node, value: int) -> bool:
    if value == MISSING:
        return node.missing_right
    return value > node.threshold


def _linear_scores(model: LinearModel, x: Sequence[int]) -> list[int]:
    half = (1 << model.shift) >> 1
    return [
        base + ((sum(x[f] * model.weights[f][k] for f in range(len(x))) + half) >> model.shift)
        for k, base in enumerate(model.bases)
    ]


def _mlp_scores(model: MlpModel, x: Sequence[int]) -> list[int]:
    for layer in model.layers:
        a = [
            bias + sum(x[i] * layer.weights[i][j] for i in range(len(x)))
            for j, bias in enumerate(layer.biases)
        ]
        x = [min(max(value, 0) >> layer.shift, layer.limit) for value in a]
    return [base + (a[k] << layer.shift) for k, base in enumerate(model.bases)]


def quantised(rule: Quantiser, image: int) -> int:
    """A feature as the integer that linear models and MLPs multiply."""
    if image == MISSING:
        return rule.missing
    centred = rounded(image, rule.shift) - rule.offset
    return max(-rule.limit, min(centred, rule.limit))


def rounded(image: int, shift: int) -> int:
    """The float of `image` times 2^shift, to the nearest integer, halves up, within ±2^62."""
    negative = image < 1 << 63
    bits = (1 << 63) - 1 - image if negative else image - (1 << 63)
    exponent, fraction = bits >> 52, bits & ((1 << 52) - 1)
    mantissa = fraction + (1 << 52) if exponent else fraction
    signed = -mantissa if negative else mantissa
    # The float is signed · 2^(max(exponent, 1) - POINT).
    places = max(exponent, 1) - POINT + shift
    value = signed << places if places >= 0 else (signed + (1 << (-places - 1))) >> -places
    return max(-MAX_ROUNDED, min(value, MAX_ROUNDED))
