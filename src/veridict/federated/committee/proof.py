"""A proof of an update's squared norm, checked by linear questions alone.

The update is laid out in rows × columns. Each column is a polynomial through its values at
0 … rows - 1, and a random value at `rows`, which hides it elsewhere; `g` is the sum of their
squares. The proof is those random values and `g` at 0 … 2·rows. Then the squared norm is
g(0) + … + g(rows - 1); and if `g` is not that sum of squares, then at a point drawn after
the proof was dealt the two differ, but for 2·rows in 2^255 of all points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

from veridict.federated.committee.field import F64, P, lagrange, products
from veridict.federated.fixed import I64

_ROWS_MAX = 64
_SUMMED = 1 << 23


@dataclass(frozen=True, slots=True)
class Shape:
    """How `length` values are laid out, row by row."""

    length: int

    @property
    def rows(self) -> int:
        return min(_ROWS_MAX, isqrt(self.length - 1) + 1)

    @property
    def columns(self) -> int:
        return -(-self.length // self.rows)

    @property
    def proof(self) -> int:
        """Elements of a proof: a random value for each column, then g."""
        return self.columns + 2 * self.rows + 1

    def laid_out(self, limbs: F64) -> F64:
        """float64[length, k] → float64[k, rows, columns], zeros at the end."""
        k = limbs.shape[1]
        padded = np.zeros((k, self.rows * self.columns))
        padded[:, : self.length] = limbs.T
        return padded.reshape(k, self.rows, self.columns)


def prove(values: I64, blinds: Sequence[int]) -> list[int]:
    """`values` int64[length], below 2^31 in magnitude; `blinds`: a random element a column."""
    shape = Shape(len(values))
    rows, columns = shape.rows, shape.columns
    limbs = shape.laid_out(np.stack([values & 0xFFFF, values >> 16], axis=1).astype(np.float64))
    grid = np.zeros(rows * columns, np.int64)
    grid[: len(values)] = values
    known = [int(sum(v * v for v in row)) for row in grid.reshape(rows, columns).tolist()]
    known.append(sum(blind * blind for blind in blinds) % P)
    points = range(rows + 1, 2 * rows + 1)
    weights = [lagrange(rows + 1, at) for at in points]
    blind = np.array(blinds, object)
    for weight, part in zip(weights, products([w[:rows] for w in weights], limbs), strict=True):
        column = (np.array(part, object) + weight[rows] * blind) % P
        known.append(int((column * column).sum()) % P)
    return [*blinds, *known]


@dataclass(frozen=True, slots=True)
class Answer:
    """One component's part: of the inner product, of norm², of g and of each column at the point.

    Elements of the field; those of three components add up.
    """

    toward: int
    norm2: int
    g: int
    columns: tuple[int, ...]

    def __add__(self, other: Answer) -> Answer:
        return Answer(
            (self.toward + other.toward) % P,
            (self.norm2 + other.norm2) % P,
            (self.g + other.g) % P,
            tuple((a + b) % P for a, b in zip(self.columns, other.columns, strict=True)),
        )

    @property
    def holds(self) -> bool:
        """Whether the proof does, of a whole answer."""
        return (sum(column * column for column in self.columns) - self.g) % P == 0

    @property
    def inner(self) -> int:
        """The inner product, signed."""
        return self.toward - P if self.toward > P // 2 else self.toward


def answer(limbs: F64, proof: Sequence[int], root: I64 | None, at: int) -> Answer:
    """A component's. `limbs` float64[length, k] of its values; `at`: the drawn point."""
    shape = Shape(len(limbs))
    rows, columns = shape.rows, shape.columns
    weights = lagrange(rows + 1, at)
    (parts,) = products([weights[:rows]], shape.laid_out(limbs))
    blinds, g = proof[:columns], proof[columns:]
    of_g = lagrange(2 * rows + 1, at)
    return Answer(
        0 if root is None else _inner(limbs, root) % P,
        sum(g[:rows]) % P,
        sum(w * value for w, value in zip(of_g, g, strict=True)) % P,
        tuple((part + weights[rows] * b) % P for part, b in zip(parts, blinds, strict=True)),
    )


def _inner(limbs: F64, root: I64) -> int:
    """Exact: limbs of 16 bits by parts of 14, summed over at most 2^23 values at a time."""
    total = 0
    for start in range(0, len(root), _SUMMED):
        part, piece = root[start : start + _SUMMED], limbs[start : start + _SUMMED]
        halves = np.stack([part & 0x3FFF, part >> 14]).astype(np.float64) @ piece
        for place, (low, high) in enumerate(halves.T.astype(np.int64).tolist()):
            total += (low + (high << 14)) << (16 * place)
    return total
