"""The models behind tests/vectors/models: one a thing that a runtime could get wrong.

Numbers that look random come from SHA-256, so that every Python draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from veridict.models.image import image_of
from veridict.models.layout import (
    Layer,
    LinearModel,
    MlpModel,
    Model,
    Node,
    Quantiser,
    Tree,
    TreeModel,
)

SPECIAL = (
    math.nan, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, math.inf, -math.inf, 5e-324, -5e-324,
    1.7976931348623157e308, 1e-35, 2.0**53, -(2.0**31), 0.1, 12345.678,
)  # fmt: skip
STRAY = (1, 0x000F_FFFF_FFFF_FFFE, 0xFFF0_0000_0000_0001, 2**64 - 1, 2**63 - 1)
IMAGES = (*map(image_of, SPECIAL), *STRAY)  # what rows are made of; STRAY belongs to no float


class Numbers:
    """An endless row of equally likely numbers, always the same for a `seed`."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def below(self, bound: int) -> int:
        self._count += 1
        digest = sha256(f"{self._seed}/{self._count}".encode()).digest()
        return int.from_bytes(digest, "big") % bound

    def signed(self, bound: int) -> int:
        return self.below(2 * bound - 1) - bound + 1


def bushy(seed: str, n_features: int, n_nodes: int) -> Tree:
    """A complete tree of `n_nodes`, with random questions and leaves."""
    numbers = Numbers(seed)

    def child(number: int) -> int:
        return number if number < n_nodes else ~(number - n_nodes)

    nodes = []
    for n in range(n_nodes):
        threshold = IMAGES[numbers.below(len(IMAGES))] or 2**63
        way = bool(numbers.below(2))
        nodes.append(
            Node(numbers.below(n_features), threshold, way, child(2 * n + 1), child(2 * n + 2))
        )
    return Tree(tuple(nodes), tuple(numbers.signed(2**40) for _ in range(n_nodes + 1)))


def forest(seed: str, n_trees: int, n_nodes: int, n_outputs: int = 1) -> TreeModel:
    trees = tuple(bushy(f"{seed}/{n}", 4, n_nodes) for n in range(n_trees))
    bases = [Numbers(seed).signed(2**40) + k for k in range(n_outputs)]
    return TreeModel(4, bases[0], trees, tuple(bases[1:]))


def stump(missing_right: bool, at: float = 0.0, leaves: tuple[int, int] = (1, -2)) -> Tree:
    return Tree((Node(0, image_of(at), missing_right, ~0, ~1),), leaves)


def deep(n_nodes: int) -> Tree:
    """A chain: each node asks for a lower threshold and ends to the right."""
    nodes = [Node(0, image_of(float(n_nodes - n)), False, n + 1, ~n) for n in range(n_nodes - 1)]
    last = Node(0, image_of(1.0), True, ~(n_nodes - 1), ~n_nodes)
    return Tree((*nodes, last), tuple(range(n_nodes + 1)))


_BAND = Tree(  # -1 < x <= 1 reaches leaf 1 by two ways, missing as well
    (
        Node(0, image_of(1.0), False, 1, ~0),
        Node(0, image_of(-1.0), False, 2, ~1),
        Node(1, image_of(0.0), True, ~2, ~1),
    ),
    (10, 20, 30),
)
_Q = Quantiser(8, 0, 2**31 - 1, 0)
_HIDDEN = Layer((5, -7, 2), ((3, -1, 4), (-2, 6, -5)), 2, 1000)
_LAST = Layer((11,), ((7,), (-8,), (9,)), 4, 0)


def _halves() -> LinearModel:
    """Whole and half sums of both signs, divided by 8."""
    return LinearModel((Quantiser(0, 0, 2**20, 3), Quantiser(1, 0, 2**20, -5)), (0,),
                       ((1,), (1,)), 3)  # fmt: skip


def _wide(n_outputs: int) -> LinearModel:
    numbers = Numbers("wide")
    inputs = tuple(
        Quantiser(numbers.signed(30), numbers.signed(2**20), 2**28 - 1, numbers.signed(2**20))
        for _ in range(5)
    )
    weights = tuple(tuple(numbers.signed(2**30) for _ in range(n_outputs)) for _ in inputs)
    return LinearModel(inputs, tuple(numbers.signed(2**40) for _ in range(n_outputs)), weights, 11)


def _network(widths: Sequence[int]) -> MlpModel:
    numbers = Numbers(f"network {widths}")
    inputs = tuple(Quantiser(5, numbers.signed(40), 127, numbers.signed(127))
                   for _ in range(widths[0]))  # fmt: skip
    layers = []
    for number in range(1, len(widths)):
        last = number == len(widths) - 1
        rows = [
            tuple(numbers.signed(128 if row else 2**14) for _ in range(widths[number]))
            for row in range(1 + widths[number - 1])
        ]
        layers.append(Layer(rows[0], tuple(rows[1:]), 10 if last else 7, 0 if last else 255))
    return MlpModel(inputs, tuple(numbers.signed(2**36) for _ in range(widths[-1])), tuple(layers))


def samples() -> Mapping[str, Model]:
    """Name, which says what is tried, and model."""
    most = 2**63 - 1
    return {
        "trees-none": TreeModel(3, -5, ()),
        "trees-none-three-outputs": TreeModel(1, -5, (), (7, 7)),
        "trees-missing-left": TreeModel(1, 0, (stump(False),)),
        "trees-missing-right": TreeModel(1, 0, (stump(True),)),
        "trees-at-infinities": TreeModel(1, 0, (stump(True, -math.inf), stump(False, math.inf))),
        "trees-shared-children": TreeModel(2, 1, (_BAND,)),
        "trees-deepest": TreeModel(1, 0, (deep(255),)),
        "trees-largest-scores": TreeModel(1, 10, (stump(True, 0.0, (most - 10, 10 - most)),)),
        "trees-two-pages": forest("two pages", 12, 12),
        "trees-long-pages": forest("long pages", 40, 30),
        "trees-two-chunks": forest("two chunks", 40, 40),
        "trees-three-outputs": forest("three outputs", 9, 7, 3),
        "trees-ties": TreeModel(1, 3, (stump(False), stump(True), stump(False)), (3, 3)),
        "trees-sixty-four-outputs": forest("sixty-four outputs", 128, 3, 64),
        "linear-one-feature": LinearModel((_Q,), (2**32,), ((2**24,),), 0),
        "linear-two-features": LinearModel((_Q, _Q), (-9,), ((5,), (-7,)), 1),
        "linear-halves": _halves(),
        "linear-clamped": LinearModel((Quantiser(4, 100, 50, -50),), (0,), ((2**33,),), 5),
        "linear-constant": LinearModel((Quantiser(0, 0, 0, 0),), (42,), ((most,),), 0),
        "linear-widest-quantiser": LinearModel(
            (Quantiser(127, 1 - 2**62, 2**62 - 1, 2**62 - 1),
             Quantiser(-128, 2**62 - 1, 2**61, -(2**61))), (0,), ((1,), (-1,)), 31),
        "linear-largest-scores": LinearModel(
            (Quantiser(0, 0, 2**30 - 1, 0),), (3 - 2**33 - 2**30,), ((1 - 2**33,),), 0),
        "linear-five-outputs": _wide(5),
        "mlp-one-layer": MlpModel((_Q,), (1,), (Layer((-3,), ((0,),), 31, 0),)),
        "mlp-two-features": MlpModel((Quantiser(3, 1, 127, -1),) * 2, (2,), (_HIDDEN, _LAST)),
        "mlp-full-lanes": MlpModel(
            (Quantiser(0, 0, 1, 1),), (0,) * 8,
            (Layer((-1, 1) * 4, ((2**31 - 2, 2 - 2**31) * 4,), 0, 0),)),
        "mlp-nine-neurons": _network((3, 9, 1)),
        "mlp-three-layers": _network((6, 17, 8, 4)),
        "mlp-unused-feature": MlpModel(
            (Quantiser(60, 0, 2**62 - 1, 2**62 - 1), Quantiser(0, 0, 99, 0)), (0,),
            (Layer((1,), ((0,), (1,)), 0, 0),)),
    }  # fmt: skip


def pools(model: Model, most: int | None = None) -> list[list[int]]:
    """Images worth trying, by feature: specials, strays, and where decisions or roundings turn.

    Thresholds with their neighbours, of the first `most` trees and nodes, where that is told.
    """
    found = [list(IMAGES) for _ in range(model.n_features)]
    if isinstance(model, TreeModel):
        for tree in model.trees[:most]:
            for node in tree.nodes[:most]:
                found[node.feature] += [
                    t for t in range(node.threshold - 1, node.threshold + 2) if 0 <= t < 2**64
                ]
    else:
        for pool, rule in zip(found, model.inputs, strict=True):
            edges = (-rule.limit, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, rule.limit)
            pool += [image_of(math.ldexp(rule.offset + e, -rule.shift)) for e in edges]
    return found


def rows(model: Model, count: int = 24) -> Iterator[list[int]]:
    """Rows of images from the pools of the features."""
    numbers = Numbers("rows")
    each = pools(model, most=50)
    for row in range(count):
        yield [
            pool[(row if model.n_features == 1 else numbers.below(2**64)) * 5 % len(pool)]
            for pool in each
        ]
