"""Payments decided as the demo's were, for cases of one's own making."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.told import prediction_at
from veridict.core.codec import JsonValue, canonical_json
from veridict.core.nouns import Decision, Request
from veridict.services.demo.sample import logged_features
from veridict.services.node import Node
from veridict.services.predict import Prediction


def payment(name: str, payer: str, payee: str, amount: int = 5_000, **more: str) -> Request:
    told: dict[str, JsonValue] = {
        "id": name, "payer": payer, "payee": payee, "amount_minor": amount,
        "time_s": 1_700_000_000, **more,
    }  # fmt: skip
    return Request(name, payer, 1_700_000_000, canonical_json(told))


def decided(
    node: Node, requests: Sequence[Request], decision: Decision = Decision.HOLD
) -> list[Prediction]:
    """Each of `requests` with the features of one payment of the demo that was decided so."""
    like = logged_features(node, [prediction_at(node, decision)])
    made = [node.predict(like, [request])[0] for request in requests]
    assert {one.record.decision for one in made} <= {decision}
    return made
