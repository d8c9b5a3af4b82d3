"""What a hostile party sends instead of an honest update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from veridict.federated.fixed import F64, Clip, Update, encode
from veridict.federated.learners import Learner, Rows

Attack = Callable[[Learner, bytes, Rows, Sequence[F64]], F64]


def sign_flip(learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64]) -> F64:
    """Its own honest update, backwards and three times as long."""
    return -3.0 * learner.vector(state, rows, 0)


def label_flip(learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64]) -> F64:
    flipped = Rows(rows.features, (1 - rows.labels).astype(np.int8))
    return learner.vector(state, flipped, 0)


def inner_product(learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64]) -> F64:
    """Xie et al., "Fall of Empires", UAI 2019: against the mean of the honest."""
    against: F64 = -2.0 * np.mean(honest, axis=0)
    return against


def alie(learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64]) -> F64:
    """Baruch et al., "A Little Is Enough", NeurIPS 2019: just inside the honest spread."""
    n = len(honest)
    z = NormalDist().inv_cdf(max(0.55, (n - n // 2) / n))
    shifted: F64 = np.mean(honest, axis=0) - z * np.std(honest, axis=0)
    return shifted


def free_ride(learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64]) -> F64:
    """Noise of a plausible length: no data, no work."""
    rng = np.random.default_rng(len(state))
    noise = rng.normal(size=learner.length(state))
    scaled: F64 = noise * np.linalg.norm(honest[0]) / np.linalg.norm(noise)
    return scaled


ATTACKS: dict[str, Attack] = {
    "sign-flip": sign_flip,
    "label-flip": label_flip,
    "inner-product": inner_product,
    "alie": alie,
    "free-rider": free_ride,
}


def hostile_update(
    attack: str, learner: Learner, state: bytes, rows: Rows, honest: Sequence[F64], clip: Clip
) -> Update:
    vector = ATTACKS[attack](learner, state, rows, honest)
    return encode(vector, clip, learner.weight(len(rows)))
