"""Who was in the training data? The likelihood-ratio attack (Carlini et al., "Membership Inference
Attacks From First Principles", S&P 2022), against the models that a federation ends with.

The attacker trains many federations of its own on rows like the true ones, half of them with a
row and half without, and compares what the model at hand says of the row with both kinds. That is
more than any real attacker knows; what it cannot tell, others will not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.federated.fixed import F64

_NARROW = 1e-3  # the least deviation that is believed of a few shadow models


@dataclass(frozen=True, slots=True)
class Leak:
    """`auc`: 0.5 where nothing can be told. `found`: members found where `false` of all others
    are taken for members too."""

    auc: float
    found: float
    false: float


def membership(confidence: F64, inside: NDArray[np.bool_], false: float = 0.01) -> Leak:
    """`confidence` [models, rows]: log-odds of each row's own label. `inside` [models, rows]:
    whether the row was trained on. Each model is attacked in turn, with all others as shadows.

    Raises BadInput where a row is always or never inside among the shadows.
    """
    models = len(confidence)
    guesses, truths = [], []
    for target in range(models):
        shadows = np.arange(models) != target
        seen, was = confidence[shadows], inside[shadows]
        if (was.sum(axis=0) < 2).any() or ((~was).sum(axis=0) < 2).any():
            raise BadInput(
                "a row is inside, or outside, of too few shadow models",
                remedy="train more of them, each on a fresh half of the rows",
            )
        guesses.append(
            _log_likelihood(confidence[target], seen, was)
            - _log_likelihood(confidence[target], seen, ~was)
        )
        truths.append(inside[target])
    return _leak(np.concatenate(guesses), np.concatenate(truths), false)


def bound(epsilon: float, delta: float, false: float = 0.01) -> float:
    """What no attack on (epsilon, delta)-private models can exceed in `found` at `false`."""
    return min(1.0, math.exp(epsilon) * false + delta, 1 - math.exp(-epsilon) * (1 - delta - false))


def _log_likelihood(found: F64, seen: F64, chosen: NDArray[np.bool_]) -> F64:
    """Of a normal around the chosen shadows' values, row by row; one deviation for all rows."""
    count = chosen.sum(axis=0)
    mean = np.where(chosen, seen, 0.0).sum(axis=0) / count
    left = np.where(chosen, seen - mean, 0.0)
    spread = max(_NARROW, float(np.sqrt((left * left).sum() / (count - 1).sum())))
    likely: F64 = -((found - mean) ** 2) / (2 * spread * spread) - math.log(spread)
    return likely


def _leak(guess: F64, truth: NDArray[np.bool_], false: float) -> Leak:
    members, others = guess[truth], np.sort(guess[~truth])
    below = np.searchsorted(others, members, "left") + np.searchsorted(others, members, "right")
    auc = float(below.mean() / (2 * len(others)))
    threshold = others[min(len(others) - 1, math.ceil((1 - false) * len(others)) - 1)]
    return Leak(auc, float((members > threshold).mean()), false)
