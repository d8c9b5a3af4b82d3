"""Prints the largest resident size, in MB, of a process that trains, masks and sums.

It loads what a member's process loads, and nothing of the measurements beside it.
"""

from __future__ import annotations

import resource
import sys

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.masked import Group
from veridict.federated.learners import Rows, learner_of
from veridict.federated.learners.prepared import Prepared
from veridict.federated.round import GroupSum, turn
from veridict.federated.rules import rule_named
from veridict.federated.statistics import Feature
from veridict.services.federation import member

ROWS, FEATURES, LENGTH = 5_000, 31, 100_000


def main() -> None:
    assert member  # what a round needs of chain, log and posts is in memory
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ROWS, FEATURES))
    rows = Rows(features, (rng.random(ROWS) < 0.5).astype(np.int8))
    asked = [Feature(f"f{i}", -6.0, 6.0) for i in range(FEATURES)]
    learner = Prepared(asked, ROWS, lambda scale: learner_of("logistic", {}, scale))
    state = learner.start()
    while not learner.finished(state):
        sums = [GroupSum.of([0], [learner.update(state, rows)])]
        state = turn(learner, state, sums, rule_named("mean", 0), None).state
    group = Group([Ed25519PrivateKey.generate() for _ in range(4)], LENGTH)
    group.sum(np.zeros((4, LENGTH), np.int64))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(used / (1 << 20 if sys.platform == "darwin" else 1 << 10))


if __name__ == "__main__":
    main()
