"""A second operator publishes one false score among honest ones, and pays for it.

The rival runs the very model that is registered, but reports a lower score for
one request. Its log is in order, signed and anchored; only running the model
again tells. Anyone may have the judge contract do that.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import Refused
from veridict.core.nouns import SCORE_ONE, Request
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.privacy.vault import FileVault
from veridict.services.anchoring import anchor
from veridict.services.dispute import Slashing, challenge
from veridict.services.funding import funded
from veridict.services.node import Node
from veridict.services.predict import Issuer, Scorer, next_sequence, predict
from veridict.services.receipt import Receipt, issue

BOND_WEI = 10**16
LIE = 2 * SCORE_ONE  # the rival reports the odds e^2 times lower


@dataclass(frozen=True, slots=True)
class Lying:
    """A registered model whose operator reports another score for row `row`."""

    honest: Scorer
    row: int

    @property
    def id(self) -> bytes:
        return self.honest.id

    @property
    def n_features(self) -> int:
        return self.honest.n_features

    def score(self, image: NDArray[np.uint64]) -> NDArray[np.int64]:
        scores = self.honest.score(image).copy()
        scores[self.row] -= LIE
        return scores

    def explain(self, image: NDArray[np.uint64]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        return self.honest.explain(image)


@dataclass(frozen=True, slots=True)
class Dispute:
    """What came of it: the slashing, and the judge's reason for refusing the other challenge."""

    slashing: Slashing
    honest_refusal: str
    lie: Receipt
    honest: Receipt
    bond_before_wei: int
    bond_after_wei: int


def publish_and_dispute(
    node: Node, requests: list[Request], features: NDArray[np.float64], directory: Path
) -> Dispute:
    """The rival decides `requests`, two or more, lying about the last; a stranger disputes."""
    rival = funded(node, "rival")
    network = node.network.acting_as(rival)
    bond = network.stakes.call("bond", rival.address)
    if bond < BOND_WEI:
        network.stakes.send("deposit", value=BOND_WEI - bond)
    signer, vault = load_or_create_signer(directory, "veridict/rival"), FileVault(directory)
    with closing(Log.open(directory, signer=signer, vault=vault)) as log:
        first = log.size
        issuer = node.at_work()
        liar = Issuer(
            Lying(issuer.model, len(requests) - 1),
            issuer.policy,
            log,
            node.parts.clock,
            next_sequence(log),
        )
        predict(liar, requests, features)
        anchor(log, network, clock_ms=node.parts.clock())
        honest = issue(log, network, rival.address, first)
        lie = issue(log, network, rival.address, first + len(requests) - 1)
    before = network.stakes.call("bond", rival.address)
    stranger = network.acting_as(funded(node, "challenger"))
    refusal = ""
    try:
        challenge(honest, stranger)
    except Refused as refused:
        refusal = str(refused.facts["reason"])
    slashing = challenge(lie, stranger)
    after = network.stakes.call("bond", rival.address)
    return Dispute(slashing, refusal, lie, honest, before, after)
