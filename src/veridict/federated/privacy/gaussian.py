"""Discrete Gaussian noise, exactly: Canonne, Kamath & Steinke, "The Discrete Gaussian for
Differential Privacy" (NeurIPS 2020), algorithms 1 to 3, over many numbers at once.

P(x) ∝ exp(-x² / 2σ²) for whole x. No float is drawn or compared anywhere, so the low bits say
nothing about what the noise hides; every random bit comes from the operating system.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64

Source = Callable[[int], bytes]  # so many random bytes
Bits = NDArray[np.bool_]

DEVIATION_MAX = 1 << 24


def discrete_gaussian(deviation: int, count: int, source: Source = secrets.token_bytes) -> I64:
    """int64[count], independent, of standard deviation `deviation` (a whole number, from 1)."""
    if not 1 <= deviation < DEVIATION_MAX:
        raise BadInput(
            f"noise of deviation {deviation}", remedy=f"use 1 to {DEVIATION_MAX - 1} units"
        )
    draw = _Draw(source)
    found = np.zeros(count, np.int64)
    wanted = np.arange(count)
    while len(wanted):
        tried = draw.laplace(deviation, len(wanted))
        # From exp(-|y|/σ) to exp(-y²/2σ²): keep y with probability exp(-(|y| - σ)² / 2σ²).
        kept = draw.exp_minus((np.abs(tried) - deviation) ** 2, 2 * deviation * deviation)
        found[wanted[kept]] = tried[kept]
        wanted = wanted[~kept]
    return found


class _Draw:
    """Each method draws for a whole array."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def below(self, bound: int, count: int) -> I64:
        """Even over 0 … bound - 1; `bound` is at most 2^62."""
        shift = np.uint64(64 - (bound - 1).bit_length())
        found = np.zeros(count, np.int64)
        wanted = np.arange(count) if bound > 1 else np.arange(0)
        while len(wanted):
            words = np.frombuffer(self._source(8 * len(wanted)), "<u8") >> shift
            fits = words < bound
            found[wanted[fits]] = words[fits].astype(np.int64)
            wanted = wanted[~fits]
        return found

    def exp_minus(self, numerators: I64, denominator: int) -> Bits:
        """True with probability exp(-numerator / denominator), each numerator from 0 up."""
        whole, rest = np.divmod(numerators, denominator)
        alive = np.ones(len(numerators), np.bool_)
        left = np.flatnonzero(whole)
        while len(left):  # exp(-1) once for each whole
            alive[left] = self._exp_below_one(np.ones(len(left), np.int64), 1)
            whole[left] -= 1
            left = left[alive[left] & (whole[left] > 0)]
        last = np.flatnonzero(alive)
        alive[last] = self._exp_below_one(rest[last], denominator)
        return alive

    def _exp_below_one(self, numerators: I64, denominator: int) -> Bits:
        """Algorithm 1, γ <= 1: the first k at which a coin of γ/k fails is odd."""
        odd = np.zeros(len(numerators), np.bool_)
        going, k = np.arange(len(numerators)), 1
        while len(going):
            lands = self.below(denominator, len(going)) < numerators[going]
            lands &= self.below(k, len(going)) == 0
            odd[going[~lands]] = k % 2 == 1
            going, k = going[lands], k + 1
        return odd

    def laplace(self, scale: int, count: int) -> I64:
        """Algorithm 2: P(x) ∝ exp(-|x| / scale)."""
        found = np.zeros(count, np.int64)
        wanted = np.arange(count)
        while len(wanted):
            low = self.below(scale, len(wanted))
            fits = self.exp_minus(low, scale)
            size = low + scale * self._successes(len(wanted))
            negative = self.below(2, len(wanted)) == 1
            fits &= ~(negative & (size == 0))  # else 0 would come twice as often
            found[wanted[fits]] = np.where(negative, -size, size)[fits]
            wanted = wanted[~fits]
        return found

    def _successes(self, count: int) -> I64:
        """How often exp(-1) comes true before it fails."""
        found = np.zeros(count, np.int64)
        going = np.arange(count)
        while len(going):
            going = going[self._exp_below_one(np.ones(len(going), np.int64), 1)]
            found[going] += 1
        return found
