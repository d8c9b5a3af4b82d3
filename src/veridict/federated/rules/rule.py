"""What every rule shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from veridict.core.errors import BadInput, Refused
from veridict.federated.fixed import I64, ONE, divide, inner, norm, norm2

SHARE_ONE = 1 << 16


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The step, and what part in it each update had: `shares` in units of 2^-16, 0 = none."""

    step: I64
    shares: tuple[int, ...]


class Rule(ABC):
    """`faulty`: how many updates the rule is to withstand."""

    name: ClassVar[str]

    def __init__(self, faulty: int = 0) -> None:
        if faulty < 0:
            raise BadInput(f"{faulty} faulty updates", remedy="give 0 or more")
        self.faulty = faulty

    @property
    def least(self) -> int:
        """Updates that the rule needs at least."""
        return 1

    def aggregate(self, updates: I64, weights: I64, root: I64 | None = None) -> Aggregate:
        """Raises Refused where there are too few updates, BadInput for malformed ones."""
        if updates.ndim != 2 or weights.shape != updates.shape[:1] or (weights <= 0).any():
            raise BadInput("updates without weights", remedy="give int64[n, d] and n weights")
        if len(updates) < self.least:
            raise Refused(
                f"{self.name} withstands {self.faulty} faulty updates only among {self.least}",
                remedy="wait for more parties, or lower the number of faulty ones",
                updates=len(updates),
            )
        if any(norm2(update) > ONE * ONE for update in updates):
            raise BadInput("an update is above the norm bound", remedy="check updates on receipt")
        aggregate = self._aggregate(updates, weights, root)
        return Aggregate(within_bound(aggregate.step), aggregate.shares)

    @abstractmethod
    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate: ...


def within_bound(step: I64) -> I64:
    """Scaled down to norm ONE: a median of bounded vectors may be longer than each of them."""
    if norm2(step) <= ONE * ONE:
        return step
    return divide(step * ONE, norm(step) + 1)  # no element is above ONE, so this fits


def equal_shares(chosen: I64, n: int) -> tuple[int, ...]:
    """The same part for each of the `chosen` indexes of n."""
    shares = np.zeros(n, np.int64)
    shares[chosen] = SHARE_ONE // len(chosen)
    return tuple(shares.tolist())


def distances2(updates: I64) -> list[list[int]]:
    """Exact squared distances; at most 2^56 each."""
    squares = [norm2(update) for update in updates]
    return [
        [squares[i] + squares[j] - 2 * inner(a, b) for j, b in enumerate(updates)]
        for i, a in enumerate(updates)
    ]
