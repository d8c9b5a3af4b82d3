"""Noise: against the readable sampler of the paper, and against what a discrete Gaussian is."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64
from veridict.federated.privacy.gaussian import discrete_gaussian

DRAWS = 40_000


class Coins:
    """The paper's algorithms 1 to 3, one number at a time, in exact fractions."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def exp_minus(self, gamma: Fraction) -> bool:
        while gamma > 1:
            if not self.exp_minus(Fraction(1)):
                return False
            gamma -= 1
        k = 1
        while self._random.randrange(gamma.denominator * k) < gamma.numerator:
            k += 1
        return k % 2 == 1

    def laplace(self, scale: int) -> int:
        while True:
            low = self._random.randrange(scale)
            if not self.exp_minus(Fraction(low, scale)):
                continue
            size = low
            while self.exp_minus(Fraction(1)):
                size += scale
            negative = self._random.random() < 0.5
            if not (negative and size == 0):
                return -size if negative else size

    def gaussian(self, deviation: int) -> int:
        while True:
            found = self.laplace(deviation + 1)
            off = abs(found) - Fraction(deviation**2, deviation + 1)
            if self.exp_minus(off * off / (2 * deviation**2)):
                return found


def seeded(n: int) -> bytes:
    return _RANDOM.randbytes(n)


_RANDOM = random.Random(7)


def misfit(found: I64, deviation: int) -> float:
    """Chi-squared over its degrees of freedom, in standard deviations of that."""
    values = np.arange(-8 * deviation, 8 * deviation + 1)
    chance = np.exp(-(values**2) / (2 * deviation**2))
    expected = len(found) * chance / chance.sum()
    seen = np.bincount(found + 8 * deviation, minlength=len(values))
    often = expected > 8
    chi2 = float((((seen - expected) ** 2) / expected)[often].sum())
    freedom = int(often.sum())
    return (chi2 - freedom) / math.sqrt(2 * freedom)


@pytest.mark.parametrize("deviation", [1, 2, 5, 30])
def test_noise_has_the_shape_it_is_to_have(deviation: int) -> None:
    assert abs(misfit(discrete_gaussian(deviation, DRAWS, seeded), deviation)) < 5


def test_so_has_the_readable_one_and_neither_is_a_rounded_laplace() -> None:
    coins = Coins(3)
    assert abs(misfit(np.array([coins.gaussian(3) for _ in range(8000)]), 3)) < 5
    assert misfit(np.array([coins.laplace(3) for _ in range(8000)]).clip(-24, 24), 3) > 20


@pytest.mark.parametrize("deviation", [1000, (1 << 24) - 1])
def test_wide_noise_keeps_its_moments(deviation: int) -> None:
    found = discrete_gaussian(deviation, DRAWS, seeded) / deviation
    assert abs(found.mean()) < 5 / math.sqrt(DRAWS)
    assert abs((found**2).mean() - 1) < 5 * math.sqrt(2 / DRAWS)
    assert abs((found**4).mean() - 3) < 5 * math.sqrt(96 / DRAWS)
    assert 3 < np.abs(found).max() < 7


def test_the_same_bytes_are_the_same_noise_and_others_are_not() -> None:
    first, second = (discrete_gaussian(50, 100, random.Random(seed).randbytes) for seed in (1, 1))
    assert (first == second).all()
    assert (discrete_gaussian(50, 100) != discrete_gaussian(50, 100)).any()


@pytest.mark.parametrize("deviation", [0, -1, 1 << 24])
def test_no_noise_is_refused(deviation: int) -> None:
    with pytest.raises(BadInput):
        discrete_gaussian(deviation, 3)
