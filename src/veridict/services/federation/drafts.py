"""From a budget to rules: how long to train, with how much noise, on which public scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.learners import Rows, Scale, learner_of
from veridict.federated.privacy.accounting import multiplier_for
from veridict.federated.privacy.guard import Noise, Unit
from veridict.federated.privacy.private import Private
from veridict.services.federation.promise import PrivacyRule, PublicScale

CUTS = 8  # of each feature, for trees: each more is more noise

# Few rounds, each with a clip of every row: chosen on the benchmarks' validation splits.
PRIVATE: Mapping[str, Mapping[str, int | float]] = {
    "logistic": {"rounds": 10, "rate": 2.0, "row_norm": 1.0},
    "network": {"rounds": 30, "rate": 1.0, "row_norm": 1.0, "hidden": 8},
    "torch": {"rounds": 30, "rate": 1.0, "row_norm": 1.0, "hidden": 8},
    "trees": {"trees": 15, "depth": 2, "rate": 0.3, "least": 0.01, "l2": 0.01},
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What is to be promised; see `Guard`."""

    epsilon: float
    delta: float = 1e-5
    noise: Noise = "local"
    unit: Unit = "row"
    rows_min: int = 1
    sharers: int = 1


def private_settings(name: str, settings: Mapping[str, int | float]) -> dict[str, int | float]:
    """What was chosen, over what is usual under noise. Raises BadInput for a learner without."""
    if name not in PRIVATE:
        raise BadInput(
            f"the learner {name} has no updates that noise can hide",
            remedy=f"choose one of {', '.join(PRIVATE)}",
        )
    return {**PRIVATE[name], **settings}


def promise_of(
    budget: Budget,
    name: str,
    settings: Mapping[str, int | float],
    names: Sequence[str],
    root: Rows,
    rows_max: int,
) -> PrivacyRule:
    """With the least noise that keeps the budget over all rounds. Raises BadInput."""
    scale = public_scale(names, root, rows_max)
    rounds = learner_of(name, dict(settings), scale).rounds
    multiplier = multiplier_for(budget.epsilon, budget.delta, rounds)
    return PrivacyRule(
        unit=budget.unit,
        noise=budget.noise,
        epsilon=repr(budget.epsilon),
        delta=repr(budget.delta),
        multiplier=repr(multiplier),
        rows_min=budget.rows_min,
        sharers=budget.sharers,
        scale=PublicScale.of(scale),
    )


def private_learner(
    budget: Budget,
    name: str,
    settings: Mapping[str, int | float],
    names: Sequence[str],
    root: Rows,
    rows_max: int,
) -> Private:
    """As the rules of such a promise make it."""
    chosen = private_settings(name, settings)
    promise = promise_of(budget, name, chosen, names, root, rows_max)
    scale = promise.scale.scale(tuple(names), rows_max)
    return promise.over(learner_of(name, chosen, scale), rows_max)


def public_scale(names: Sequence[str], root: Rows, rows_max: int, cuts: int = CUTS) -> Scale:
    """Of the public batch, which costs nothing. Raises BadInput for a feature without a value."""
    means, deviations, edges = [], [], []
    for name, column in zip(names, root.features.T, strict=True):
        present = column[~np.isnan(column)]
        if not len(present):
            raise BadInput(
                f"the public batch has no value of {name}", remedy="use a batch that has"
            )
        means.append(float(present.mean()))
        deviations.append(float(present.std()) or 1.0)
        quantiles = np.quantile(present, np.arange(1, cuts) / cuts)
        edges.append(tuple(sorted(set(quantiles.tolist()))))
    return Scale(tuple(names), tuple(means), tuple(deviations), tuple(edges), rows_max)
