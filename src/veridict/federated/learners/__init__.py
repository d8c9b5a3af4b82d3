"""What is learned together: one file each.

    logistic    a linear model of the log-odds
    network     one hidden layer of ReLU
    torch       one or more hidden layers of ReLU, by torch
    trees       gradient-boosted trees over histograms

A learner asks every party for one vector a round and moves a public state by what the rule
makes of them. Gradients of parameters and histograms of trees go the same way, so every mode
and every rule serves every learner.
"""

from __future__ import annotations

from veridict.core.errors import BadInput
from veridict.federated.learners.learner import Learner, Rows, Scale
from veridict.federated.learners.logistic import Logistic
from veridict.federated.learners.network import Network
from veridict.federated.learners.torch_network import TorchNetwork
from veridict.federated.learners.trees import Trees

__all__ = ["LEARNERS", "Learner", "Rows", "Scale", "learner_of"]

LEARNERS: dict[str, type[Learner]] = {
    kind.name: kind for kind in (Logistic, Network, TorchNetwork, Trees)
}


def learner_of(name: str, settings: dict[str, int | float], scale: Scale) -> Learner:
    """Raises BadInput for an unknown learner or setting."""
    if name not in LEARNERS:
        raise BadInput(
            f"there is no learner {name!r}", remedy=f"choose one of {', '.join(LEARNERS)}"
        )
    try:
        return LEARNERS[name](scale, **settings)
    except TypeError as error:
        raise BadInput(
            f"the learner {name} has no such setting: {error}",
            remedy=f"see what `{name}` takes in its documentation",
        ) from error
