"""What noisy releases cost together: privacy loss distributions, by Google's dp-accounting.

The noise of a round is the discrete Gaussian; the distributions are the Gaussian's. An integer
plus a rounded Gaussian is a rounded Gaussian release, so that one is accounted exactly; the
discrete one differs from it, in the log of a number's probability, by at most
(x²/σ² + 1) / 24σ². Updates are written finely enough that this comes to at most SLACK over all
numbers of a round, and that much is added for each.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from veridict.core.errors import BadInput, MissingPart

_RATIO_MAX = 20.0  # change over noise: an epsilon of hundreds
SLACK = 2e-4  # of epsilon, a round
TAIL = 9.0  # deviations beyond which noise in d numbers is never: e^(-81/2) < 3e-18


def epsilon_of(multiplier: float, rounds: int, delta: float) -> float:
    """Of so many rounds whose noise is `multiplier` times the most that one unit changes."""
    return _epsilon(multiplier, 1.0, rounds, delta) + rounds * SLACK


def sampled_epsilon_of(multiplier: float, sampling: float, steps: int, delta: float) -> float:
    """Of DP-SGD: each row enters a step by a coin of probability `sampling`."""
    return _epsilon(multiplier, sampling, steps, delta)


def multiplier_for(epsilon: float, delta: float, rounds: int) -> float:
    """The least noise with which all rounds together stay within the budget, to a thousandth."""
    if epsilon <= 2 * rounds * SLACK:
        raise BadInput(f"an epsilon of {epsilon}", remedy="use more, or train fewer rounds")
    multiplier = math.sqrt(rounds) / _gaussian_ratio(epsilon - rounds * SLACK, delta)
    while epsilon_of(multiplier, rounds, delta) > epsilon:
        multiplier *= 1.001  # the distributions are on a grid, and told no smaller than they are
    return multiplier


def _gaussian_ratio(epsilon: float, delta: float) -> float:
    """The largest change, in deviations of one Gaussian, that keeps to a budget.

    Balle & Wang, "Improving the Gaussian Mechanism" (ICML 2018), theorem 8.
    """

    def above(ratio: float) -> bool:
        first = _normal(ratio / 2 - epsilon / ratio)
        return first - math.exp(epsilon) * _normal(-ratio / 2 - epsilon / ratio) > delta

    low, high = 1e-6, 50.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return low


def _normal(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def least_deviation(numbers: int) -> float:
    """From which on the discrete Gaussian costs at most SLACK a round more; see above."""
    norm2 = (math.sqrt(numbers) + TAIL) ** 2
    return math.sqrt(2 * (norm2 + numbers) / (24 * SLACK))


@lru_cache(maxsize=4096)
def _epsilon(multiplier: float, sampling: float, steps: int, delta: float) -> float:
    if steps < 1:
        return 0.0
    if steps * sampling * sampling > _RATIO_MAX**2 * multiplier * multiplier:
        raise BadInput(
            f"{steps} rounds with a noise multiplier of {multiplier:.3g} keep nothing private",
            remedy="raise the multiplier, or train fewer rounds",
        )
    accounting, distributions = _library()
    event = accounting.GaussianDpEvent(multiplier)
    if sampling < 1.0:
        event = accounting.PoissonSampledDpEvent(sampling, event)
    accountant = distributions.PLDAccountant()
    accountant.compose(event, steps)
    return float(accountant.get_epsilon(delta))


def _library() -> tuple[Any, Any]:
    try:
        import dp_accounting
        from dp_accounting import pld
    except ImportError as error:
        raise MissingPart(
            "what privacy costs is counted by dp-accounting, which is not installed",
            remedy="pip install 'veridict[privacy]'",
        ) from error
    return dp_accounting, pld
