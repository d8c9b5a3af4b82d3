"""A parameter on chain follows a node's predictions, and its limits hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.support.told import opened, told_copy
from veridict.chain.contract import Contract
from veridict.control.parameter import Limits
from veridict.core.errors import Refused
from veridict.core.nouns import INT64_MAX, SCORE_ONE, Policy
from veridict.services import steering
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.receipt import Receipt

LIMITS = Limits(
    low=500, high=10_000, safe=3_000, max_step=400, cool_down_s=1, expiry_s=10_000, veto_s=1_000,
    base=3_000, slope=100,
)  # fmt: skip
NEVER = Policy(INT64_MAX, INT64_MAX)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with opened(told_copy(tmp_path_factory.mktemp("steering") / "home")) as node:
        yield node


def deployed(node: Node, limits: Limits = LIMITS, trust: steering.Trust | None = None) -> Follower:
    model_id = node.at_work().model.id
    return Follower(
        node, steering.deploy_parameter(node.network, model_id, limits, node.operator, trust)
    )


class Follower:
    """A contract, and the predictions made for it."""

    def __init__(self, node: Node, contract: Contract) -> None:
        self.node, self.contract = node, contract

    def predicted(self) -> Prediction:
        model = self.node.at_work().model
        asked = steering.question(self.contract, self.node.parts.clock() // 1000)
        row = np.full((1, model.n_features), np.nan)
        (made,) = self.node.predict_by(model.id, NEVER, row, [asked])
        return made

    def steer(self, prediction: Prediction) -> steering.Move:
        account = self.node.parts.keyring.account("operator")
        return steering.steer(self.contract, prediction, account)


def test_it_moves_as_its_rule_says_and_once_a_question(node: Node) -> None:
    it = deployed(node)
    prediction = it.predicted()
    move = it.steer(prediction)
    assert (move.before, move.after) == (3_000, LIMITS.step(3_000, prediction.record.score))
    assert move.after == it.contract.call("value") != 3_000
    assert move.target == LIMITS.target(prediction.record.score)
    with pytest.raises(Refused, match=r"about another question|cooling down"):
        it.steer(prediction)


def test_a_lie_moves_it_one_step_within_its_bounds(node: Node) -> None:
    it = deployed(node, replace(LIMITS, high=3_100))
    honest = it.predicted()
    record = replace(honest.record, score=1_000_000 * SCORE_ONE)
    lie = Prediction(honest.index, record, honest.payload, honest.contributions)
    assert it.steer(lie).after == 3_100


def test_an_anchored_prediction_moves_one_that_asks_for_more(node: Node) -> None:
    it = deployed(node, trust=steering.Trust(challenge_window_s=0, min_assurance=3))
    prediction = it.predicted()
    with pytest.raises(Refused, match="signed is not enough"):
        it.steer(prediction)
    assert node.anchor() is not None
    receipt = node.receipt(prediction.index)
    assert isinstance(receipt, Receipt)
    assert steering.steer_anchored(it.contract, receipt).after == it.contract.call("value")


def test_the_human_is_obeyed(node: Node) -> None:
    it = deployed(node)
    it.steer(it.predicted())
    it.contract.send("veto")
    assert it.contract.call("value") == LIMITS.safe
    with pytest.raises(Refused, match="vetoed"):
        it.steer(it.predicted())
