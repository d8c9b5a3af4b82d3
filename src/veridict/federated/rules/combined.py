"""Rules whose step is a public combination of the updates: Σ coefficient·update / divisor.

Such a rule asks of each update only its weight, its squared norm and its inner product with
the root's update. So the coefficients can be found, and the sum opened, by a committee that
sees no update: to the last bit what all find where updates are open.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64, divide, inner, norm2
from veridict.federated.rules.rule import Aggregate, Rule, within_bound


@dataclass(frozen=True, slots=True)
class Measures:
    """Of n updates: weights, squared norms, inner products with the root; and the root's norm²."""

    weights: tuple[int, ...]
    norms2: tuple[int, ...]
    toward: tuple[int, ...]
    root2: int | None  # None without a root; then `toward` is all 0

    @classmethod
    def of(cls, updates: I64, weights: I64, root: I64 | None) -> Measures:
        return cls(
            tuple(weights.tolist()),
            tuple(norm2(update) for update in updates),
            tuple(0 if root is None else inner(update, root) for update in updates),
            None if root is None else norm2(root),
        )


@dataclass(frozen=True, slots=True)
class Combination:
    """`coefficients`: one an update, from 0 up; their sum is below 2^36, since values reach 2^27.

    `shares` as of an `Aggregate`.
    """

    coefficients: tuple[int, ...]
    divisor: int
    shares: tuple[int, ...]

    def aggregate(self, total: I64) -> Aggregate:
        """`total`: Σ coefficient·update."""
        return Aggregate(within_bound(divide(total, self.divisor)), self.shares)


class CombinedRule(Rule):
    """`needs_root`: whether it measures updates against the root's."""

    needs_root = False

    @abstractmethod
    def combination(self, measures: Measures) -> Combination: ...

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        if self.needs_root and (root is None or root.shape != updates.shape[1:]):
            raise BadInput(
                f"the rule `{self.name}` needs the root batch's update",
                remedy="give a public root batch, or choose another rule",
            )
        measures = Measures.of(updates, weights, root if self.needs_root else None)
        found = self.combination(measures)
        total = np.zeros(updates.shape[1], np.int64)
        for update, coefficient in zip(updates, found.coefficients, strict=True):
            if coefficient:
                total += update * coefficient
        return found.aggregate(total)
