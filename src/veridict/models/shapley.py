"""Shapley values of one score against earlier rows: exact fractions, no sampling.

Of a background row `z` and the row `x` asked about, mix a row from both: the features in S
from x, the others from z. A feature's Shapley value is its part in score(x) - score(z), averaged
over all orders in which the features could be exchanged; over several background rows, the mean:

    score(x) = mean of the background's scores + the sum of all values      (exactly)

A leaf of a tree is reached by the mixtures that take a set A from x and a set B from z, where the
two rows part on the way. It gives each feature in A  leaf · (a-1)! b! / (a+b)!  and takes from each
in B  leaf · a! (b-1)! / (a+b)!  (a, b: sizes of the sets). (Shapley 1953; interventional tree
form: Lundberg et al. 2020.) Slower than `explain` and fairer: it tells what each feature is worth
to this score, not what happened on the path taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

from veridict.core.errors import BadInput
from veridict.models.layout import Node, Tree, TreeModel
from veridict.models.reference import goes_right, leaf

Row = Sequence[int]
MAX_BACKGROUND = 256


@dataclass(frozen=True, slots=True)
class Attribution:
    """In units of 2^-SCORE_BITS. `score` is the row's, an integer; `values` one a feature."""

    base: Fraction
    values: tuple[Fraction, ...]
    score: int


def shapley(model: TreeModel, row: Row, background: Sequence[Row], output: int = 0) -> Attribution:
    """`row`, `background`: images (`models.image`), one an int a feature.

    Of several outputs, `output` is explained. Raises BadInput for rows of another
    width, or no background or more than MAX_BACKGROUND rows of it.
    """
    check_rows(model.n_features, row, background)
    trees = model.trees[output :: model.n_outputs]
    values, base = [Fraction(0)] * model.n_features, Fraction(0)
    score = model.bases[output] + sum(leaf(tree, row) for tree in trees)
    for other in background:
        base += model.bases[output] + sum(leaf(tree, other) for tree in trees)
        for tree in trees:
            for mine, theirs, value in _mixtures(tree, row, other):
                _share(values, mine, theirs, value)
    count = len(background)
    return Attribution(base / count, tuple(value / count for value in values), score)


def check_rows(n_features: int, row: Row, background: Sequence[Row]) -> None:
    """Raises BadInput unless every row is `n_features` wide, and there are enough, not too many."""
    if not 0 < len(background) <= MAX_BACKGROUND or any(
        len(values) != n_features for values in (row, *background)
    ):
        raise BadInput(
            f"{len(background)} background rows, or a row of another width than {n_features}",
            remedy=f"pass 1 to {MAX_BACKGROUND} rows of images",
        )


def _share(
    values: list[Fraction], mine: frozenset[int], theirs: frozenset[int], value: int
) -> None:
    a, b = len(mine), len(theirs)
    if a:
        part = Fraction(value * factorial(a - 1) * factorial(b), factorial(a + b))
        for feature in mine:
            values[feature] += part
    if b:
        part = Fraction(value * factorial(a) * factorial(b - 1), factorial(a + b))
        for feature in theirs:
            values[feature] -= part


def _mixtures(
    tree: Tree, row: Row, other: Row
) -> Iterator[tuple[frozenset[int], frozenset[int], int]]:
    """Each leaf that some mixture reaches: what it must take from `row`, from `other`, its score.

    A feature once taken from one row stays taken, however often it is asked again.
    """
    nothing: frozenset[int] = frozenset()
    pending = [(0, nothing, nothing)]
    while pending:
        at, mine, theirs = pending.pop()
        while at >= 0:
            node = tree.nodes[at]
            here, there = _next(node, row), _next(node, other)
            if here == there or node.feature in mine:
                at = here
            elif node.feature in theirs:
                at = there
            else:
                pending.append((there, mine, theirs | {node.feature}))
                at, mine = here, mine | {node.feature}
        yield mine, theirs, tree.leaves[~at]


def _next(node: Node, row: Row) -> int:
    return node.right if goes_right(node, row[node.feature]) else node.left
